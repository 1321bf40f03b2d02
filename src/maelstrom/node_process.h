// The shell around a MaelstromNode: its loop (or a server's), its input and output, its log, its
// timer. Everything the node says goes through here. Lives on the thread that runs it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "maelstrom/input.h"
#include "maelstrom/line_output.h"
#include "maelstrom/maelstrom_node.h"
#include "maelstrom/message.h"
#include "maelstrom/message_framer.h"
#include "maelstrom/status_flags.h"
#include "sluice/base/log.h"
#include "sluice/maelstrom/node.h"
#include "sluice/net/loop.h"

namespace sluice {

class NodeProcess {
 public:
  // After a signal: who has not read the output by then does not get it.
  static constexpr Duration kReaderPatience = std::chrono::seconds(5);

  NodeProcess(const NodeOptions& options, const NodeDescriptors& descriptors, NodeHost* host);

  // Until the end of input, or a failure; the exit status.
  int run();

 private:
  void run_own_loop();
  void run_beside(NodeHost& host);

  static ServedClusters served_by(NodeHost* host, const std::shared_ptr<NodeProcess*>& presence);

  void receive(std::string_view bytes);
  void handle(const Frame& frame);
  void handle_message(const Frame& frame);
  void on_due();
  void on_host_done(const std::function<void()>& answer);
  void say();
  void end_turn();

  void end_input(const Result<void>& result);
  void answer_what_waits();
  void stop_when_written();
  void stop();
  void on_drained();
  void on_signal();
  void on_reader_too_slow();
  void fail(const Error& error);
  void complain(uint64_t line, const std::string& about);

  const NodeOptions options_;
  const int input_fd_;
  NodeHost* const host_;
  // For what the host calls back, which may be later than our end.
  const std::shared_ptr<NodeProcess*> presence_ = std::make_shared<NodeProcess*>(this);
  // Restored last.
  StatusFlags input_flags_;
  StatusFlags output_flags_;
  Log log_;
  std::optional<Loop> own_loop_;  // without a host
  Loop& loop_;
  MaelstromNode node_;
  MessageParser parser_;
  MessageFramer framer_;
  LineOutput output_;
  Timer due_;
  TimePoint due_at_{};  // while it runs
  Timer reader_too_slow_;
  SignalWatcher terminate_;
  SignalWatcher interrupt_;
  std::unique_ptr<Input> input_;
  std::string unread_;  // input that waits until the output has room
  bool has_input_ended_ = false;
  bool is_host_done_ = false;
  bool is_own_run_ = false;  // the loop runs because of us, not of a host
  bool waits_for_reader_ = true;
  int exit_status_ = 0;
};

}  // namespace sluice
