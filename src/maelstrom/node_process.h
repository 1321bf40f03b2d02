// The shell around a MaelstromNode: its loop, its input and output, its log. Everything the node
// says goes through here. Lives on the thread that runs it.
#pragma once

#include <string>
#include <string_view>

#include "maelstrom/input.h"
#include "maelstrom/line_output.h"
#include "maelstrom/message.h"
#include "maelstrom/message_framer.h"
#include "maelstrom/status_flags.h"
#include "sluice/base/log.h"
#include "sluice/maelstrom/node.h"
#include "sluice/net/loop.h"

namespace sluice {

class NodeProcess {
 public:
  NodeProcess(const NodeOptions& options, int input_fd, int output_fd, int error_fd);

  // Until the end of input, or a failure; the exit status.
  int run();

 private:
  void receive(std::string_view bytes);
  void handle(const Frame& frame);
  void handle_message(const Frame& frame);
  void end_input(const Result<void>& result);
  void on_drained();
  void on_signal();
  void fail(const Error& error);
  void complain(uint64_t line, const std::string& about);
  TimePoint now() const;

  const NodeOptions options_;
  const int input_fd_;
  // Restored last.
  StatusFlags input_flags_;
  StatusFlags output_flags_;
  Log log_;
  Loop loop_;
  MaelstromNode node_;
  MessageParser parser_;
  MessageFramer framer_;
  LineOutput output_;
  SignalWatcher terminate_;
  SignalWatcher interrupt_;
  std::unique_ptr<Input> input_;
  std::string unread_;  // input that waits until the output has room
  bool has_input_ended_ = false;
  int exit_status_ = 0;
};

}  // namespace sluice
