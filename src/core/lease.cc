#include "sluice/core/lease.h"

#include <utility>

#include "sluice/core/cluster.h"

namespace sluice {

ConnectionPlace& ConnectionPlace::operator=(ConnectionPlace&& other) noexcept {
  if (this != &other) {
    release();
    backend_ = std::move(other.backend_);
  }
  return *this;
}

void ConnectionPlace::release() {
  if (const auto backend = std::exchange(backend_, nullptr)) backend->remove_connection();
}

Lease::Lease(std::shared_ptr<const ClusterSnapshot> snapshot, std::shared_ptr<Backend> backend,
             Permit permit)
    : snapshot_(std::move(snapshot)), place_(std::move(backend)), permit_(permit) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    release();
    snapshot_ = std::move(other.snapshot_);
    place_ = std::move(other.place_);
    permit_ = other.permit_;
  }
  return *this;
}

void Lease::settle(ConnectOutcome outcome, TimePoint now, Random& random) {
  if (const auto snapshot = std::exchange(snapshot_, nullptr)) {
    snapshot->cluster->record_connect(*snapshot, *backend(), permit_, outcome, now, random);
  }
}

ConnectionPlace Lease::take_place() {
  if (const auto snapshot = std::exchange(snapshot_, nullptr)) {
    snapshot->cluster->abandon_connect(*backend(), permit_);
  }
  return std::move(place_);
}

}  // namespace sluice
