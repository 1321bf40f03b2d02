// A session's hold on its backend: a Lease while it connects, of which only the ConnectionPlace is
// left once the verdict is in. Made by Picker, owned by the session, on its worker's thread.
#pragma once

#include <memory>
#include <utility>

#include "sluice/base/random.h"
#include "sluice/base/time.h"
#include "sluice/core/backend.h"
#include "sluice/core/cluster_snapshot.h"
#include "sluice/core/connect_outcome.h"

namespace sluice {

// A place in a backend's connection count. Move only; given back when it goes.
class ConnectionPlace {
 public:
  ConnectionPlace() = default;  // in none
  // Takes over a place that was added to `backend`.
  explicit ConnectionPlace(std::shared_ptr<Backend> backend) : backend_(std::move(backend)) {}
  ConnectionPlace(ConnectionPlace&& other) noexcept = default;  // shared_ptr leaves nothing behind
  ConnectionPlace& operator=(ConnectionPlace&& other) noexcept;
  ConnectionPlace(const ConnectionPlace&) = delete;
  ConnectionPlace& operator=(const ConnectionPlace&) = delete;
  ~ConnectionPlace() { release(); }

  explicit operator bool() const { return backend_ != nullptr; }
  const std::shared_ptr<Backend>& backend() const { return backend_; }

  void release();

 private:
  std::shared_ptr<Backend> backend_;
};

// A place with the permit to connect. Move only; going out of scope settles as abandoned what was
// not settled, so that no odd exit path can lose a permit.
class Lease {
 public:
  Lease() = default;  // of nothing
  // Takes over what Cluster::admit() gave.
  Lease(std::shared_ptr<const ClusterSnapshot> snapshot, std::shared_ptr<Backend> backend,
        Permit permit);
  Lease(Lease&& other) noexcept = default;  // shared_ptr leaves nothing behind
  Lease& operator=(Lease&& other) noexcept;
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() { release(); }

  explicit operator bool() const { return static_cast<bool>(place_); }
  const std::shared_ptr<Backend>& backend() const { return place_.backend(); }
  bool is_trial() const { return permit_.is_trial; }
  const Permit& permit() const { return permit_; }

  // The connect's verdict, once; a second one is ignored.
  void settle(ConnectOutcome outcome, TimePoint now, Random& random);

  // Settles as abandoned if need be and gives the place up to whoever keeps it.
  ConnectionPlace take_place();
  // Settles as abandoned if need be and gives the place back.
  void release() { take_place().release(); }

 private:
  std::shared_ptr<const ClusterSnapshot> snapshot_;  // until settled
  ConnectionPlace place_;
  Permit permit_;
};

}  // namespace sluice
