// A session's hold on its backend: the permit until the connect's verdict is in, and a place in the
// backend's connection count until the end. Move only; going out of scope settles as abandoned what
// was not settled and gives the place back, so that no odd exit path can lose a permit. Made by
// Picker, owned by the session, on its worker's thread.
#pragma once

#include <memory>

#include "sluice/base/random.h"
#include "sluice/base/time.h"
#include "sluice/core/backend.h"
#include "sluice/core/cluster_snapshot.h"
#include "sluice/core/connect_outcome.h"

namespace sluice {

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

  explicit operator bool() const { return backend_ != nullptr; }
  const std::shared_ptr<Backend>& backend() const { return backend_; }
  bool is_trial() const { return permit_.is_trial; }

  // The connect's verdict, once; a second one is ignored.
  void settle(ConnectOutcome outcome, TimePoint now, Random& random);

  // Settles as abandoned if need be and gives the place in the connection count back.
  void release();

 private:
  std::shared_ptr<const ClusterSnapshot> snapshot_;  // until settled
  std::shared_ptr<Backend> backend_;
  Permit permit_;
};

}  // namespace sluice
