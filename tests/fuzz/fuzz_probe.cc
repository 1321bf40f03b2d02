// libFuzzer entry for what a probe is answered. The first byte chooses what is expected and how the
// answer is cut: whatever the bytes, the pieces must lead to the verdict of the whole.
//
//   fuzz-probe -max_total_time=300 CORPUS tests/fuzz/corpus/probe
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sluice/control/probe_dialogue.h"

namespace {

using sluice::ProbeDialogue;
using sluice::ProbeScript;

// Answered in pieces of that size.
ProbeDialogue::State verdict(const ProbeScript& script, std::string_view answer, size_t piece) {
  ProbeDialogue dialogue(script);
  while (!answer.empty()) {
    while (dialogue.state() == ProbeDialogue::State::sending) dialogue.sent(1);
    if (dialogue.state() != ProbeDialogue::State::expecting) break;
    dialogue.received(answer.substr(0, piece));
    answer.remove_prefix(std::min(piece, answer.size()));
  }
  while (dialogue.state() == ProbeDialogue::State::sending) dialogue.sent(1);
  return dialogue.state();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::array<ProbeScript, 2> scripts = {
      ProbeScript{sluice::ExpectStatusStep{{{200, 399}}}},
      ProbeScript{sluice::ExpectStep{"aab"}, sluice::SendStep{"??"}, sluice::ExpectStep{"ab"}}};
  // Of a longer one the last piece may hold what comes too late.
  if (size == 0 || size > ProbeDialogue::kAnswerBytesMax) return 0;
  const std::string_view answer(reinterpret_cast<const char*>(data) + 1, size - 1);
  const ProbeScript& script = scripts[data[0] % scripts.size()];
  const size_t piece = 1 + data[0] / scripts.size();
  if (verdict(script, answer, piece) != verdict(script, answer, size)) std::abort();
  return 0;
}
