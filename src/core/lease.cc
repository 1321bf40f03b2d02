#include "sluice/core/lease.h"

#include <utility>

#include "sluice/core/cluster.h"

namespace sluice {

Lease::Lease(std::shared_ptr<const ClusterSnapshot> snapshot, std::shared_ptr<Backend> backend,
             Permit permit)
    : snapshot_(std::move(snapshot)), backend_(std::move(backend)), permit_(permit) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    release();
    snapshot_ = std::move(other.snapshot_);
    backend_ = std::move(other.backend_);
    permit_ = other.permit_;
  }
  return *this;
}

void Lease::settle(ConnectOutcome outcome, TimePoint now, Random& random) {
  if (const auto snapshot = std::exchange(snapshot_, nullptr)) {
    snapshot->cluster->record_connect(*snapshot, *backend_, permit_, outcome, now, random);
  }
}

void Lease::release() {
  if (const auto snapshot = std::exchange(snapshot_, nullptr)) {
    snapshot->cluster->abandon_connect(*backend_, permit_);
  }
  if (const auto backend = std::exchange(backend_, nullptr)) backend->remove_connection();
}

}  // namespace sluice
