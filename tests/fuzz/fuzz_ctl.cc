// libFuzzer entry for what a server can answer to `sluice ctl`: the first byte is which view, the
// rest the answer. Whatever it is, nothing but line ends and our own colours command the terminal,
// and a stream says the same however it is cut.
//
//   fuzz-ctl -max_total_time=300 CORPUS tests/fuzz/corpus/ctl
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "ctl/ctl_events.h"
#include "ctl/ctl_output.h"

namespace {

using sluice::CtlEventReader;
using sluice::CtlView;

constexpr CtlView kViews[] = {CtlView::status,   CtlView::clusters, CtlView::listeners,
                              CtlView::sessions, CtlView::json,     CtlView::backend,
                              CtlView::done};

void require(bool truth) {
  if (!truth) std::abort();
}

bool is_harmless(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != '\x7F');
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const CtlView view = kViews[data[0] % std::size(kViews)];
  const auto shown = sluice::render_ctl(view, text, false);
  if (shown && view != CtlView::json) require(is_harmless(*shown));
  require(is_harmless(sluice::error_of(text)) || text.empty());

  CtlEventReader whole(CtlEventReader::Form::text, false);
  CtlEventReader pieces(CtlEventReader::Form::text, false);
  const std::string at_once = whole.take(text);
  std::string bit_by_bit;
  for (size_t i = 0; i < text.size(); i += 3) bit_by_bit += pieces.take(text.substr(i, 3));
  require(at_once == bit_by_bit && is_harmless(at_once));
  require(whole.last_id() == pieces.last_id());
  return 0;
}
