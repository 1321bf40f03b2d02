#include "maelstrom/node_process.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <csignal>
#include <random>
#include <utility>

#include "maelstrom/quoted_excerpt.h"
#include "sluice/base/unique_fd.h"

namespace sluice {
namespace {

constexpr int kCannotRun = 3;  // the contract's exit status

Log::Options log_options(const NodeOptions& options) {
  if (!options.config) return {};
  return {.level = options.config->log.level, .format = options.config->log.format};
}

// Under a manual clock a run can be repeated.
Random make_random(const NodeOptions& options) {
  return Random(options.manual_clock ? 0 : std::random_device()());
}

std::string what_is_wrong(const Frame& frame) {
  switch (frame.kind) {
    case Frame::Kind::not_json:
      return fmt::format("not JSON, skipped: {}", quoted_excerpt(frame.text));
    case Frame::Kind::unfinished:
      return fmt::format("unfinished text, discarded: {}", quoted_excerpt(frame.text));
    case Frame::Kind::too_long:
      return fmt::format("a message of more than {} bytes, skipped to the end of its line: {}",
                         MessageFramer::kMessageBytesMax, quoted_excerpt(frame.text));
    case Frame::Kind::message:
      break;
  }
  return {};
}

}  // namespace

NodeProcess::NodeProcess(const NodeOptions& options, int input_fd, int output_fd, int error_fd)
    : options_(options),
      input_fd_(input_fd),
      input_flags_(input_fd),
      output_flags_(output_fd),
      log_(UniqueFd(::fcntl(error_fd, F_DUPFD_CLOEXEC, 0)), log_options(options)),
      node_(
          options,
          [this](const Transition& transition) {
            log_.info(name(transition.kind),
                      fmt::format("{} turned from {} to {}: {}", transition.backend,
                                  transition.from, transition.to, transition.why),
                      {{"cluster", transition.cluster}, {"backend", transition.backend}});
          },
          make_random(options)),
      framer_([this](std::string_view object) { return parser_.is_message(object); }),
      output_(loop_, output_fd,
              {.on_drained = [this] { on_drained(); },
               .on_failure = [this](const Error& error) { fail(error); }}),
      terminate_(loop_, SIGTERM, [this] { on_signal(); }),
      interrupt_(loop_, SIGINT, [this] { on_signal(); }) {}

int NodeProcess::run() {
  auto input = open_input(loop_, input_fd_,
                          {.on_bytes = [this](std::string_view bytes) { receive(bytes); },
                           .on_end = [this](const Result<void>& result) { end_input(result); }});
  if (!input) {
    log_.error("failed", input.error().message);
    return kCannotRun;
  }
  input_ = std::move(*input);
  input_->resume();
  loop_.run();
  return exit_status_;
}

void NodeProcess::receive(std::string_view bytes) {
  while (!output_.is_full()) {
    const auto frame = framer_.next(bytes);
    if (!frame || exit_status_ != 0) return;
    handle(*frame);
  }
  input_->pause();
  unread_ = bytes;
}

void NodeProcess::on_drained() {
  if (has_input_ended_) return loop_.stop();
  const std::string rest = std::exchange(unread_, {});
  receive(rest);
  if (!output_.is_full() && exit_status_ == 0) input_->resume();
}

void NodeProcess::handle(const Frame& frame) {
  if (frame.kind == Frame::Kind::message) return handle_message(frame);
  complain(frame.line, what_is_wrong(frame));
}

void NodeProcess::handle_message(const Frame& frame) {
  const auto message = parser_.parse(frame.text);
  if (!message) {
    complain(frame.line,
             fmt::format("{}; skipped: {}", message.error().message, quoted_excerpt(frame.text)));
    return;
  }
  Outbox outbox;
  node_.receive(*message, now(), outbox);
  for (const std::string& complaint : outbox.complaints) complain(frame.line, complaint);
  for (const std::string& line : outbox.lines) output_.send(line);
}

void NodeProcess::end_input(const Result<void>& result) {
  if (!result) return fail(result.error());
  has_input_ended_ = true;
  while (const auto frame = framer_.finish()) handle(*frame);
  if (output_.is_empty()) loop_.stop();
}

// As if the input had ended; the second one does not wait for the reader of the output.
void NodeProcess::on_signal() {
  if (std::exchange(has_input_ended_, true)) return loop_.stop();
  input_->pause();
  if (output_.is_empty()) loop_.stop();
}

void NodeProcess::fail(const Error& error) {
  log_.error("failed", error.message);
  exit_status_ = kCannotRun;
  loop_.stop();
}

void NodeProcess::complain(uint64_t line, const std::string& about) {
  log_.error("input", fmt::format("input line {}: {}", line, about),
             {{"line", static_cast<int64_t>(line)}});
}

TimePoint NodeProcess::now() const { return options_.manual_clock ? TimePoint() : loop_.now(); }

int run_maelstrom_node(const NodeOptions& options, int input_fd, int output_fd, int error_fd) {
  return NodeProcess(options, input_fd, output_fd, error_fd).run();
}

}  // namespace sluice
