// A small file that is replaced as a whole: whoever reads it, at whatever moment and after whatever
// crash, finds an old text or a new one, never a part.
#pragma once

#include <string>
#include <string_view>

#include "sluice/base/result.h"

namespace sluice {

// Writes a file of its own, `PATH.tmp.` and six letters, with mode 0600, makes it durable and
// renames it to `path`: two processes that write the same one do not meet before the rename. A
// crash leaves the temporary file behind. Blocks for as long as the disk takes.
Result<void> replace_file(const std::string& path, std::string_view text);

// Whether replace_file() could do its work in that directory, tried out. Removes what crashes have
// left there; a process that is just writing fails once by that.
Result<void> check_replaceable(const std::string& path);

}  // namespace sluice
