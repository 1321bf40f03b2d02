// The process's own log: one line per thing worth knowing, as text or as JSON, with the facts as
// fields so that a program can read them too.
//
//   2026-01-31T12:00:00.123Z info  breaker of 10.0.0.1:80 opened  event=breaker cluster=web ...
//   {"time":"2026-01-31T12:00:00.123Z","level":"info","message":"...","event":"breaker",...}
//
// Lines are queued and written by a thread of the log's own (log_writer.h). Any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "sluice/base/log_level.h"
#include "sluice/base/log_writer.h"
#include "sluice/base/unique_fd.h"

namespace sluice {

// One fact of a line. Text values are quoted where they need it.
struct LogField {
  std::string_view key;  // static storage
  std::variant<std::string, int64_t> value;
};

// A line that has not been written yet.
struct LogLine {
  LogLevel level = LogLevel::info;
  std::string_view event;  // static storage
  std::string message;
  std::vector<LogField> fields{};
};

class Log {
 public:
  struct Options {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;
    bool use_color = false;  // of the level, in text
  };

  Log(std::unique_ptr<LogSink> sink, Options options)
      : writer_(std::move(sink)), options_(options) {}
  // Writes to `sink`, a descriptor opened for appending.
  Log(UniqueFd sink, Options options) : writer_(std::move(sink)), options_(options) {}

  bool wants(LogLevel level) const { return level >= options_.level; }

  // `event` is the line's kind in one word, for programs; `message` says it to a person.
  void write(LogLevel level, std::string_view event, std::string_view message,
             std::span<const LogField> fields);
  void write(LogLevel level, std::string_view event, std::string_view message,
             std::initializer_list<LogField> fields = {}) {
    write(level, event, message, std::span(fields.begin(), fields.size()));
  }
  void write(const LogLine& line) { write(line.level, line.event, line.message, line.fields); }
  void debug(std::string_view event, std::string_view message,
             std::initializer_list<LogField> fields = {}) {
    write(LogLevel::debug, event, message, fields);
  }
  void info(std::string_view event, std::string_view message,
            std::initializer_list<LogField> fields = {}) {
    write(LogLevel::info, event, message, fields);
  }
  void warning(std::string_view event, std::string_view message,
               std::initializer_list<LogField> fields = {}) {
    write(LogLevel::warning, event, message, fields);
  }
  void error(std::string_view event, std::string_view message,
             std::initializer_list<LogField> fields = {}) {
    write(LogLevel::error, event, message, fields);
  }

  LogWriter& writer() { return writer_; }

 private:
  LogWriter writer_;
  const Options options_;
};

}  // namespace sluice
