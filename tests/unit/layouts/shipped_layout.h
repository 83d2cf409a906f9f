/* SPDX-License-Identifier: BSD-3-Clause */
/* A layout of layouts/, read as the programs read it; for tests with cmocka. */
#ifndef TESTS_UNIT_LAYOUTS_SHIPPED_LAYOUT_H
#define TESTS_UNIT_LAYOUTS_SHIPPED_LAYOUT_H

#include <stdio.h>
#include <stdlib.h>

#include "layouts/layout.h"

/* The one of that name, or the test fails. */
static inline void shipped_layout(struct layout *layout, const char *name)
{
    static char text[65536];
    char path[512];
    FILE *file;
    size_t length;

    snprintf(path, sizeof path, "%s/layouts/%s.layout", getenv("MACHV_SOURCE_ROOT"), name);
    file = fopen(path, "rb");
    assert_non_null(file);
    length = fread(text, 1, sizeof text, file);
    fclose(file);
    assert_int_equal(layout_read(layout, text, length), 0);
    assert_string_equal(layout->name, name);
}

#endif
