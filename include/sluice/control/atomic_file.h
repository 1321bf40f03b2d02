// A small file that is replaced as a whole: whoever reads it, at whatever moment and after whatever
// crash, finds an old text or a new one, never a part.
#pragma once

#include <string>
#include <string_view>

#include "sluice/base/result.h"

namespace sluice {

// Writes `PATH.tmp` with mode 0600, makes it durable and renames it to `path`. A crash leaves the
// temporary file behind at most, and the next call uses it again. Blocks for as long as the disk
// takes.
Result<void> replace_file(const std::string& path, std::string_view text);

// Whether replace_file() could do its work in that directory, tried out.
Result<void> check_replaceable(const std::string& path);

}  // namespace sluice
