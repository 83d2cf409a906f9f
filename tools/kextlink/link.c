/* SPDX-License-Identifier: BSD-3-Clause */
/* link.c: runs the steps of one link in memory, and the small helpers they all use. */
#include "tools/kextlink/link.h"

#include <stdarg.h>
#include <string.h>

static void report(struct link *link, const char *kind, const char *format, va_list arguments)
{
    fprintf(link->messages, "kextlink: %s: ", kind);
    vfprintf(link->messages, format, arguments);
    fputc('\n', link->messages);
}

void link_error(struct link *link, const char *format, ...)
{
    va_list arguments;

    link->error_count++;
    va_start(arguments, format);
    report(link, "error", format, arguments);
    va_end(arguments);
}

void link_warning(struct link *link, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    report(link, "warning", format, arguments);
    va_end(arguments);
}

bool link_objects(struct link *link, const struct link_input *inputs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        object_read(link, &inputs[i]);
    if (link->error_count || !layout_sections(link))
        return false;
    relocate(link);
    if (link->error_count)
        return false;
    symbols_order(link);
    check_module(link);
    check_classes(link);
    check_imports(link);
    if (link->error_count)
        return false;
    if (link->architecture == ARCHITECTURE_X86_64)
        write_kext_bundle(link);
    else
        write_object(link);
    return true;
}

void link_free(struct link *link)
{
    arena_free(&link->arena);
    *link = (struct link){0};
}

uint32_t load_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

uint64_t load_u64(const uint8_t *bytes)
{
    return load_u32(bytes) | (uint64_t)load_u32(bytes + 4) << 32;
}

void store_u32(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}

void store_u64(uint8_t *bytes, uint64_t value)
{
    store_u32(bytes, (uint32_t)value);
    store_u32(bytes + 4, (uint32_t)(value >> 32));
}

uint64_t load_word(const struct link *link, uint64_t address)
{
    return word_size(link) == 8 ? load_u64(link->image + address)
                                : load_u32(link->image + address);
}

const char *architecture_name(enum architecture architecture)
{
    switch (architecture) {
    case ARCHITECTURE_I386:
        return "i386";
    case ARCHITECTURE_X86_64:
        return "x86_64";
    default:
        return "any architecture";
    }
}
