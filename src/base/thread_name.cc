#include "sluice/base/thread_name.h"

#include <pthread.h>

namespace sluice {
namespace {

constexpr size_t kNameBytesMax = 15;

}  // namespace

void name_this_thread(std::string name) {
  if (name.size() > kNameBytesMax) name.resize(kNameBytesMax);
  pthread_setname_np(pthread_self(), name.c_str());
}

}  // namespace sluice
