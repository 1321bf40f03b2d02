// What a thread is called, for whoever looks at the process: top -H, perf, gdb.
#pragma once

#include <string>

namespace sluice {

// Of the calling thread. The system keeps the first 15 bytes.
void name_this_thread(std::string name);

}  // namespace sluice
