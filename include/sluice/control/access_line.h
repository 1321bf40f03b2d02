// How a finished session looks in the access log, in each of its formats. Whatever the names hold,
// a session is one line.
#pragma once

#include <string>
#include <string_view>

#include "sluice/config/access_log_format.h"
#include "sluice/proxy/session_record.h"

namespace sluice {

// Appends one line without its newline. Fields of `text` and `json` and their order are the
// contract's.
void append_access_line(std::string& out, const SessionRecord& record, std::string_view time,
                        const AccessLogFormat& format);

}  // namespace sluice
