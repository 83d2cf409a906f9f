/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of the engines include. */
#ifndef TESTS_UNIT_KEXT_CORE_ENGINES_H
#define TESTS_UNIT_KEXT_CORE_ENGINES_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "kext/core/errors.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
