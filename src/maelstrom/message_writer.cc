#include "maelstrom/message_writer.h"

#include <fmt/format.h>

#include <iterator>

#include "sluice/base/json.h"

namespace sluice {

void MessageWriter::speak_as(std::string_view node) {
  if (!beginning_.empty() && node == name_) return;
  name_ = node;
  beginning_ = R"({"src":)";
  append_json_string(beginning_, node);
  beginning_ += R"(,"dest":)";
}

std::string& MessageWriter::begin(std::string_view destination) {
  outbox_.lines += beginning_;
  append_json_string(outbox_.lines, destination);
  outbox_.lines += R"(,"body":{"type":)";
  return outbox_.lines;
}

int64_t MessageWriter::request(std::string_view destination, std::string_view type,
                               std::string_view members) {
  fmt::format_to(std::back_inserter(begin(destination)),
                 R"("{}","msg_id":{}{}}}}})"
                 "\n",
                 type, next_msg_id_, members);
  return next_msg_id_++;
}

void MessageWriter::reply(const Asker& asker, std::string_view type, std::string_view members) {
  if (!asker.msg_id) return;
  std::string& line = begin(asker.source);
  fmt::format_to(std::back_inserter(line), R"("{}_ok","in_reply_to":{},"msg_id":{})", type,
                 *asker.msg_id, next_msg_id_++);
  line += members;
  line += "}}\n";
}

void MessageWriter::error(const Asker& asker, const Refusal& refusal) {
  if (!asker.msg_id) return;
  std::string& line = begin(asker.source);
  const auto out = std::back_inserter(line);
  fmt::format_to(out, R"("error","in_reply_to":{},"code":{},"text":)", *asker.msg_id, refusal.code);
  append_json_string(line, refusal.text);
  fmt::format_to(out,
                 R"(,"msg_id":{}}}}})"
                 "\n",
                 next_msg_id_++);
}

}  // namespace sluice
