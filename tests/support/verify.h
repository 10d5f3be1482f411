// The oracles and the judge, under the tests' name, with the data that they are asked about.
#pragma once

#include "common/verify/check.h"
#include "tests/support/data.h"

namespace tandem::test {
using namespace verify;
}
