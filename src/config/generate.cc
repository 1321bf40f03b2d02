// Writes the files that are made of the schema into the source tree given as argument.
#include <cstdio>
#include <fstream>
#include <string>

#include "sluice/config/schema.h"

namespace {

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text << std::flush;
  if (!file) std::fprintf(stderr, "cannot write %s\n", path.c_str());
  return file.good();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: sluice-generate SOURCE_ROOT\n");
    return 2;
  }
  const std::string root = argv[1];
  const bool is_written =
      write_file(root + "/docs/CONFIGURATION.md", sluice::render_reference()) &&
      write_file(root + "/conf/sluice.schema.json", sluice::render_json_schema());
  return is_written ? 0 : 1;
}
