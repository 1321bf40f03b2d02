#include "sluice/control/access_line.h"

#include <fmt/format.h>

#include <iterator>

#include "sluice/base/json.h"
#include "sluice/base/log_value.h"

namespace sluice {
namespace {

constexpr std::string_view kNone = "-";

// Calls `tell` for each reason why candidates were passed over.
template <typename Tell>
void for_each_obstacle(const Decision& decision, Tell tell) {
  for (size_t i = 0; i < kObstacleNames.size(); ++i) {
    const uint8_t count = decision.passed_over(static_cast<Obstacle>(i));
    if (count > 0) tell(kObstacleNames[i], count);
  }
}

// Why it went to that backend, of the last attempt.
void write_decision(JsonWriter& json, const Decision& decision) {
  json.begin_object();
  json.member("policy", name(decision.policy));
  json.member("trial", decision.is_trial);
  json.key("passed_over");
  json.begin_object();
  for_each_obstacle(decision,
                    [&](std::string_view why, uint8_t count) { json.member(why, count); });
  json.end_object();
  json.end_object();
}

void append_json_line(std::string& out, const SessionRecord& record, std::string_view time) {
  const ListenerConfig& listener = record.listener->config();
  JsonWriter json(out);
  json.begin_object();
  json.member("time", time);
  json.member("listener", listener.name);
  json.member("client", record.client.to_string());
  json.member("cluster", listener.cluster);
  json.key("backend");
  if (record.backend) {
    json.value(record.backend->name());
  } else {
    json.null();
  }
  json.member("attempts", record.attempts);
  json.member("received", record.received);
  json.member("sent", record.sent);
  json.key("connect_ms");
  if (record.connect_time) {
    json.value(to_ms(*record.connect_time));
  } else {
    json.null();
  }
  json.member("duration_ms", to_ms(record.duration));
  json.member("reason", name(record.reason));
  json.key("why");
  write_decision(json, record.decision);
  json.end_object();
}

// What is no name, and so needs no escaping.
void append_number_or_word(std::string& out, const SessionRecord& record, AccessField field) {
  const auto append = [&out](const auto& value) {
    fmt::format_to(std::back_inserter(out), "{}", value);
  };
  switch (field) {
    case AccessField::attempts:
      return append(record.attempts);
    case AccessField::received:
      return append(record.received);
    case AccessField::sent:
      return append(record.sent);
    case AccessField::connect_ms:
      if (record.connect_time) return append(to_ms(*record.connect_time));
      out += kNone;
      return;
    case AccessField::duration_ms:
      return append(to_ms(record.duration));
    case AccessField::reason:
      return append(name(record.reason));
    case AccessField::policy:
      return append(name(record.decision.policy));
    case AccessField::trial:
      return append(record.decision.is_trial);
    case AccessField::passed_over: {
      const size_t begin = out.size();
      for_each_obstacle(record.decision, [&](std::string_view why, uint8_t count) {
        fmt::format_to(std::back_inserter(out), "{}{}:{}", out.size() > begin ? "," : "", why,
                       count);
      });
      if (out.size() == begin) out += kNone;
      return;
    }
    default:
      return;
  }
}

// Appends the field; a name by `append_name`.
void append_field(std::string& out, const SessionRecord& record, std::string_view time,
                  AccessField field, void (*append_name)(std::string&, std::string_view)) {
  const ListenerConfig& listener = record.listener->config();
  switch (field) {
    case AccessField::time:
      out += time;
      return;
    case AccessField::listener:
      return append_name(out, listener.name);
    case AccessField::client:
      return append_name(out, record.client.to_string());
    case AccessField::cluster:
      return append_name(out, listener.cluster);
    case AccessField::backend:
      if (record.backend) return append_name(out, record.backend->name());
      out += kNone;
      return;
    default:
      return append_number_or_word(out, record, field);
  }
}

void append_text_line(std::string& out, const SessionRecord& record, std::string_view time) {
  for (size_t i = 0; i <= static_cast<size_t>(AccessField::reason); ++i) {
    if (i > 0) out += ' ';
    out += kAccessFieldNames[i];
    out += '=';
    append_field(out, record, time, static_cast<AccessField>(i), append_log_value);
  }
}

void append_custom_line(std::string& out, const SessionRecord& record, std::string_view time,
                        const AccessLogFormat& format) {
  for (const AccessLogFormat::Piece& piece : format.pieces()) {
    out += piece.text;
    if (piece.field) append_field(out, record, time, *piece.field, append_escaped);
  }
}

}  // namespace

void append_access_line(std::string& out, const SessionRecord& record, std::string_view time,
                        const AccessLogFormat& format) {
  switch (format.kind()) {
    case AccessLogFormat::Kind::text:
      return append_text_line(out, record, time);
    case AccessLogFormat::Kind::json:
      return append_json_line(out, record, time);
    case AccessLogFormat::Kind::custom:
      return append_custom_line(out, record, time, format);
  }
}

}  // namespace sluice
