// libFuzzer entry for everything between the Maelstrom node's input and output: framing, parsing,
// answering, forwarding, with a clock that the messages move. Whatever the bytes, it must return;
// each message sent must be one line of JSON that says who to whom; and where the bytes are split
// must make no difference.
//
//   fuzz-maelstrom -max_total_time=300 CORPUS tests/fuzz/corpus/maelstrom
#include <simdjson.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "maelstrom/maelstrom_node.h"
#include "maelstrom/message.h"
#include "maelstrom/message_framer.h"

namespace {

using sluice::Frame;

void check(bool is_true) {
  if (!is_true) std::abort();
}

struct Said {
  std::vector<std::string> replies;
  std::vector<Frame::Kind> frames;

  friend bool operator==(const Said&, const Said&) = default;
};

void take_lines(std::string& text, std::vector<std::string>& lines) {
  size_t begin = 0;
  for (size_t end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    lines.push_back(text.substr(begin, end - begin));
  }
  check(begin == text.size());
  text.clear();
}

Said feed(std::string_view input, size_t chunk_bytes) {
  sluice::MaelstromNode node(
      {.config = std::nullopt, .manual_clock = true}, [](const sluice::Transition&) {},
      sluice::Random(1));
  sluice::MessageParser parser;
  sluice::MessageFramer framer(
      [&parser](std::string_view object) { return parser.is_message(object); });
  Said said;
  const auto take = [&](const Frame& frame) {
    said.frames.push_back(frame.kind);
    if (frame.kind != Frame::Kind::message) return;
    const auto message = parser.parse(frame.text);
    if (message) node.receive(*message, sluice::TimePoint());
    take_lines(node.outbox().lines, said.replies);
  };
  while (!input.empty()) {
    std::string_view chunk = input.substr(0, chunk_bytes);
    input.remove_prefix(chunk.size());
    while (const auto frame = framer.next(chunk)) take(*frame);
  }
  while (const auto frame = framer.finish()) take(*frame);
  node.end_input(sluice::TimePoint());
  take_lines(node.outbox().lines, said.replies);
  return said;
}

void check_reply(const std::string& line) {
  // What is carried along may be larger than simdjson can read.
  for (const char* type : {"echo", "echo_ok", "read", "read_ok", "write", "cas"}) {
    if (line.find(std::string(R"("type":")") + type + '"') != std::string::npos) return;
  }
  simdjson::dom::parser parser;
  simdjson::dom::element reply;
  check(parser.parse(line).get(reply) == simdjson::SUCCESS);
  check(reply["src"].is_string() && reply["dest"].is_string());
  check(reply["body"]["type"].is_string() && reply["body"]["msg_id"].is_int64());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t chunk_bytes = 1 + data[0] % 32U;
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  const Said whole = feed(input, std::max<size_t>(input.size(), 1));
  std::ranges::for_each(whole.replies, check_reply);
  check(feed(input, chunk_bytes) == whole);
  return 0;
}
