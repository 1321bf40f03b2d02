#include "maglev.h"

#include "client_key.h"
#include "stable_hash.h"

namespace sluice {

void Maglev::adopt(const PriorityLevel& level) {
  candidates_ = level.backends;
  table_ = level.maglev_table;
  bound_.adopt(candidates_);
  offered_.resize(candidates_.size());
}

std::optional<size_t> Maglev::choose(const PickRequest& request, Accept accept) {
  const uint64_t key = client_key(request, settings_, random_);
  bound_.begin();
  offered_.begin();
  if (const auto chosen = offer_owners(key, accept)) return chosen;
  if (const auto chosen = offer_others(accept)) return chosen;
  return bound_.offer_passed_over(accept);
}

std::optional<size_t> Maglev::offer_owners(uint64_t key, Accept accept) {
  if (!table_ || table_->is_empty()) return std::nullopt;
  size_t slot = key % MaglevTable::kSlots;
  const size_t stride = 1 + mix(key) % (MaglevTable::kSlots - 1);
  for (size_t left = table_->owners(); left > 0;) {
    const uint32_t index = (*table_)[slot];
    slot = (slot + stride) % MaglevTable::kSlots;
    if (!offered_.visit(index)) continue;
    if (bound_.offer(index, accept)) return index;
    --left;
  }
  return std::nullopt;
}

std::optional<size_t> Maglev::offer_others(Accept accept) {
  for (size_t i = 0; i < candidates_.size(); ++i) {
    if (offered_.visit(i) && bound_.offer(i, accept)) return i;
  }
  return std::nullopt;
}

}  // namespace sluice
