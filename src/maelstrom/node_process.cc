#include "maelstrom/node_process.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
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

NodeProcess::NodeProcess(const NodeOptions& options, const NodeDescriptors& descriptors,
                         NodeHost* host)
    : options_(options),
      input_fd_(descriptors.input),
      host_(host),
      input_flags_(descriptors.input),
      output_flags_(descriptors.output),
      log_(UniqueFd(::fcntl(descriptors.errors, F_DUPFD_CLOEXEC, 0)), log_options(options)),
      loop_(host != nullptr ? host->loop : own_loop_.emplace()),
      node_(
          options,
          [this](const Transition& transition) {
            log_.info(name(transition.kind),
                      fmt::format("{} turned from {} to {}: {}", transition.backend,
                                  transition.from, transition.to, transition.why),
                      {{"cluster", transition.cluster}, {"backend", transition.backend}});
          },
          make_random(options), served_by(host, presence_)),
      framer_([this](std::string_view object) { return parser_.is_message(object); }),
      output_(loop_, descriptors.output,
              {.on_drained = [this] { on_drained(); },
               .on_failure = [this](const Error& error) { fail(error); }}),
      due_(loop_, [this] { on_due(); }),
      reader_too_slow_(loop_, [this] { on_reader_too_slow(); }),
      terminate_(loop_, SIGTERM, [this] { on_signal(); }),
      interrupt_(loop_, SIGINT, [this] { on_signal(); }) {}

// What the host does later may have an answer to write.
ServedClusters NodeProcess::served_by(NodeHost* host,
                                      const std::shared_ptr<NodeProcess*>& presence) {
  if (host == nullptr) return {};
  const auto replace = [host, presence = std::weak_ptr(presence)](
                           const std::string& cluster, std::vector<BackendConfig> backends,
                           std::function<void()> on_adopted) {
    host->served.replace_backends(cluster, std::move(backends),
                                  [presence, on_adopted = std::move(on_adopted)] {
                                    const auto process = presence.lock();
                                    if (process) (*process)->on_host_done(on_adopted);
                                  });
  };
  return {.clusters = host->served.clusters, .replace_backends = replace};
}

int NodeProcess::run() {
  auto input = open_input(loop_, input_fd_,
                          {.on_bytes = [this](std::string_view bytes) { receive(bytes); },
                           .on_end = [this](const Result<void>& result) { end_input(result); }});
  if (input) {
    input_ = std::move(*input);
    input_->resume();
  } else {
    fail(input.error());
  }
  if (host_ != nullptr) {
    run_beside(*host_);
  } else if (input_) {
    run_own_loop();
  }
  return exit_status_;
}

void NodeProcess::run_own_loop() {
  is_own_run_ = true;
  loop_.run();
  is_own_run_ = false;
}

// It drains because we told it to, or was told by somebody else; then it is the end of input for
// us.
void NodeProcess::run_beside(NodeHost& host) {
  host.run();
  is_host_done_ = true;
  if (input_) input_->pause();
  if (!std::exchange(has_input_ended_, true)) answer_what_waits();
  if (exit_status_ == 0 && waits_for_reader_ && !output_.is_empty()) run_own_loop();
}

void NodeProcess::receive(std::string_view bytes) {
  while (!output_.is_full()) {
    const auto frame = framer_.next(bytes);
    if (!frame || exit_status_ != 0) return end_turn();
    handle(*frame);
  }
  input_->pause();
  unread_ = bytes;
  end_turn();
}

void NodeProcess::on_drained() {
  if (has_input_ended_) return stop();
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
  node_.outbox().is_reader_behind = output_.is_full();
  node_.receive(*message, loop_.now());
  for (const std::string& complaint : node_.outbox().complaints) complain(frame.line, complaint);
  node_.outbox().complaints.clear();
  say();
}

void NodeProcess::on_due() {
  node_.outbox().is_reader_behind = output_.is_full();
  node_.run_due(loop_.now());
  say();
  end_turn();
}

void NodeProcess::on_host_done(const std::function<void()>& answer) {
  answer();
  say();
  end_turn();
}

void NodeProcess::say() {
  output_.send(node_.outbox().lines);
  node_.outbox().lines.clear();
}

void NodeProcess::end_turn() {
  output_.flush();
  const auto next = node_.next_due();
  // One that is early finds nothing due and costs less than to move it with every message.
  if (!next || has_input_ended_ || (due_.is_running() && due_at_ <= *next)) return;
  due_at_ = *next;
  due_.start(std::max(*next - loop_.now(), Duration::zero()));
}

void NodeProcess::end_input(const Result<void>& result) {
  if (!result) return fail(result.error());
  while (const auto frame = framer_.finish()) handle(*frame);
  has_input_ended_ = true;
  answer_what_waits();
  stop_when_written();
}

void NodeProcess::answer_what_waits() {
  due_.stop();
  node_.end_input(loop_.now());
  say();
  output_.flush();
}

void NodeProcess::stop_when_written() {
  if (output_.is_empty()) stop();
}

void NodeProcess::stop() {
  if (host_ != nullptr && !is_host_done_) {
    host_->stop();
  } else if (is_own_run_) {
    loop_.stop();
  }
}

// As if the input had ended; the second one does not wait for the reader of the output.
void NodeProcess::on_signal() {
  if (std::exchange(has_input_ended_, true)) return on_reader_too_slow();
  if (input_) input_->pause();
  answer_what_waits();
  reader_too_slow_.start(kReaderPatience);
  stop_when_written();
}

void NodeProcess::on_reader_too_slow() {
  waits_for_reader_ = false;
  if (!output_.is_empty()) {
    log_.warning("output", fmt::format("{} bytes of output were not read", output_.queued_bytes()));
  }
  stop();
}

void NodeProcess::fail(const Error& error) {
  log_.error("failed", error.message);
  exit_status_ = kCannotRun;
  stop();
}

void NodeProcess::complain(uint64_t line, const std::string& about) {
  log_.error("input", fmt::format("input line {}: {}", line, about),
             {{"line", static_cast<int64_t>(line)}});
}

int run_maelstrom_node(const NodeOptions& options, const NodeDescriptors& descriptors,
                       NodeHost* host) {
  return NodeProcess(options, descriptors, host).run();
}

}  // namespace sluice
