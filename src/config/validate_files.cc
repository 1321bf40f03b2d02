#include "validate_files.h"

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "given.h"
#include "scalar.h"
#include "sluice/config/log_target.h"
#include "text.h"

namespace sluice {
namespace {

struct NamedFile {
  std::string path;
  std::string what;
};

// As far as the text says: a link may lead anywhere.
bool is_same_file(const std::string& a, const std::string& b) {
  const auto normal = [](const std::string& path) {
    return std::filesystem::path(path).lexically_normal();
  };
  return normal(a) == normal(b);
}

std::vector<NamedFile> other_files(const Config& config) {
  std::vector<NamedFile> files;
  const auto add = [&files](std::string path, std::string what) {
    if (!path.empty()) files.push_back({std::move(path), std::move(what)});
  };
  const auto add_socket = [&add](const Address& address, std::string what) {
    if (address.kind() == Address::Kind::unix_path) add(address.text(), std::move(what));
  };
  const auto add_log = [&add](const std::string& path, std::string what) {
    if (log_target(path) == LogTarget::file) add(path, std::move(what));
  };
  add_log(config.log.file, "the process's log");
  add_log(config.access_log.file, "the access log");
  for (const ListenerConfig& listener : config.listeners) {
    for (const Address& address : listener.addresses) {
      add_socket(address, fmt::format("the socket of listener '{}'", excerpt(listener.name)));
    }
  }
  for (const ClusterConfig& cluster : config.clusters) {
    for (const BackendConfig& backend : cluster.backends) {
      add_socket(backend.address,
                 fmt::format("the socket of a backend of cluster '{}'", excerpt(cluster.name)));
    }
  }
  return files;
}

}  // namespace

void validate_files(const Config& config, const Places& places, Problems& problems) {
  if (config.state_file.empty()) {
    const Place* age = given(places, {"state_max_age"});
    if (age != nullptr && config.state_max_age != Config{}.state_max_age) {
      problems.warning(*age, "state_max_age without state_file: no state is kept");
    }
    return;
  }
  const Place* place = given(places, {"state_file"});
  for (const NamedFile& file : other_files(config)) {
    if (place == nullptr || !is_same_file(file.path, config.state_file)) continue;
    problems.error(*place, fmt::format("state_file: {} is {} too, and would be replaced by it",
                                       excerpt(config.state_file), file.what));
  }
}

}  // namespace sluice
