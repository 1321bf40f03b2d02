// The admin API's answers as people read them.
#pragma once

#include <string>
#include <string_view>

#include "sluice/base/result.h"

namespace sluice {

enum class CtlView : uint8_t { status, clusters, listeners, sessions, json, backend, done };

// An error when `body` is not what the API promises.
Result<std::string> render_ctl(CtlView view, std::string_view body, bool use_color);

// What an answer that says no says; the beginning of the body when it is no such answer.
std::string error_of(std::string_view body);

}  // namespace sluice
