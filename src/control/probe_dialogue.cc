#include "sluice/control/probe_dialogue.h"

#include <algorithm>
#include <variant>

#include "sluice/control/http_status.h"

namespace sluice {

ProbeDialogue::ProbeDialogue(std::span<const ProbeStep> script) : rest_(script) { begin_step(); }

void ProbeDialogue::begin_step() {
  if (rest_.empty()) {
    state_ = State::passed;
  } else if (std::holds_alternative<SendStep>(rest_.front())) {
    state_ = State::sending;
    sent_bytes_ = 0;
    // What has come so far answers something else. It is still searched: whether an answer was
    // read before or after this is a matter of chance.
    unmatched_bytes_ = 0;
  } else {
    state_ = State::expecting;
  }
}

std::string_view ProbeDialogue::to_send() const {
  if (state_ != State::sending) return {};
  return std::string_view(std::get<SendStep>(rest_.front()).bytes).substr(sent_bytes_);
}

void ProbeDialogue::sent(size_t bytes) {
  sent_bytes_ += bytes;
  if (!to_send().empty()) return;
  rest_ = rest_.subspan(1);
  begin_step();
  judge();
}

void ProbeDialogue::received(std::string_view bytes) {
  heard_ += bytes;
  unmatched_bytes_ += bytes.size();
  judge();
}

// What has come may hold the answers to several steps.
void ProbeDialogue::judge() {
  while (state_ == State::expecting) {
    const Finding finding =
        std::visit([this](const auto& step) { return find(step); }, rest_.front());
    if (finding == Finding::found) {
      unmatched_bytes_ = heard_.size();
      rest_ = rest_.subspan(1);
      begin_step();
    } else if (finding == Finding::never || unmatched_bytes_ > kAnswerBytesMax) {
      state_ = State::mismatch;
    } else {
      return;
    }
  }
}

ProbeDialogue::Finding ProbeDialogue::find(const SendStep& /*step*/) { return Finding::not_yet; }

ProbeDialogue::Finding ProbeDialogue::find(const ExpectStep& step) {
  const size_t at = heard_.find(step.bytes);
  if (at != std::string::npos) {
    heard_.erase(0, at + step.bytes.size());
    return Finding::found;
  }
  // All but what may be the beginning of it has been looked at for good.
  heard_.erase(0, heard_.size() - std::min(heard_.size(), step.bytes.size() - 1));
  return Finding::not_yet;
}

ProbeDialogue::Finding ProbeDialogue::find(const ExpectStatusStep& step) {
  const HttpStatus status = read_http_status(heard_);
  heard_.erase(0, status.skipped_bytes);
  if (status.state == HttpStatus::State::incomplete) return Finding::not_yet;
  if (status.state == HttpStatus::State::malformed) return Finding::never;
  const bool is_expected = std::any_of(
      step.ranges.begin(), step.ranges.end(),
      [&](StatusRange range) { return status.code >= range.first && status.code <= range.last; });
  return is_expected ? Finding::found : Finding::never;
}

}  // namespace sluice
