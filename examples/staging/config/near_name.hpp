// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

namespace staging {

/// The variable of this server that a name was probably meant to be, such as `S3_ENDPOINT_URL` for
/// `S3_ENDPOINT`. Empty: the name is a variable of this server, or has nothing to do with it.
///
/// A name is near one of ours when it differs
/// - in case and underscores alone, or by a unit or such at its end (`DB_TIMEOUT_MS`);
/// - in one letter, or two of a long name (`REDIS_HOTS`); a prefix as short as `API` must be right;
/// - by an expression of the same meaning (`DATABASE`, `DB`; `PASS`, `PASSWORD`; `URI`, `URL`);
/// - by one word that is missing (`AWS_ACCESS_KEY`).
/// Names under a prefix that no other program uses (`DEGRADATION_`, `DB_CB_`) are always near.
///
/// A name with one more word is not near: it names something else, as `AWS_DEFAULT_REGION` and
/// `DATABASE_TEST_URL` do.
[[nodiscard]] std::string meant_by(std::string_view name);

}  // namespace staging
