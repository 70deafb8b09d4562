// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <string_view>
#include <utility>

namespace staging {

/// For answers that are not pages: nothing may be loaded, framed or submitted.
inline constexpr std::string_view closed_content_policy =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// For pages: their own files and their own API, nothing inline and nothing foreign. A route that answers
/// HTML sets it as its `Content-Security-Policy`.
inline constexpr std::string_view page_content_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// On every answer, errors included, unless the route sets its own value.
inline constexpr std::array<std::pair<std::string_view, std::string_view>, 6> security_headers{{
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
    {"Content-Security-Policy", closed_content_policy},
    {"Cache-Control", "no-store"},
}};

/// Added where TLS ends in front of the server: one year, the least that preload lists and scanners accept.
inline constexpr std::string_view strict_transport_security = "max-age=31536000; includeSubDomains";

}  // namespace staging
