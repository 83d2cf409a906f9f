/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of display modes. */
#include "kext/graphics/display_modes.h"

#include "kext/core/shared_memory.h"

static const struct display_size usual_sizes[] = {
    { 640, 480 },   { 800, 600 },   { 1024, 768 },  { 1152, 864 },  { 1280, 720 },
    { 1280, 800 },  { 1280, 1024 }, { 1366, 768 },  { 1440, 900 },  { 1600, 900 },
    { 1600, 1200 }, { 1680, 1050 }, { 1920, 1080 }, { 1920, 1200 }, { 2048, 1536 },
    { 2560, 1440 }, { 2560, 1600 }, { 3840, 2160 },
};

static const struct display_size fallback_size = { 1024, 768 };

bool display_size_fits(const struct display_limits *limits, const struct display_size *size)
{
    return size->width >= DISPLAY_WIDTH_MINIMUM && size->height >= DISPLAY_HEIGHT_MINIMUM &&
           size->width <= DISPLAY_EDGE_MAXIMUM && size->height <= DISPLAY_EDGE_MAXIMUM &&
           size->width <= limits->maximum.width && size->height <= limits->maximum.height &&
           (uint64_t)size->width * size->height * limits->bytes_per_pixel <= limits->vram_bytes;
}

int display_modes_find(const struct display_modes *modes, const struct display_size *size)
{
    for (uint32_t i = 0; i < modes->count; i++)
        if (modes->sizes[i].width == size->width && modes->sizes[i].height == size->height)
            return (int)i;
    return -1;
}

static bool comes_before(const struct display_size *one, const struct display_size *other)
{
    uint64_t area = (uint64_t)one->width * one->height;
    uint64_t other_area = (uint64_t)other->width * other->height;

    return area != other_area ? area < other_area : one->width < other->width;
}

/* Puts a size in its place, if it fits and is new. */
static void add(struct display_modes *modes, const struct display_size *size)
{
    uint32_t place = modes->count;

    if (modes->count == DISPLAY_MODES_MAXIMUM || !display_size_fits(&modes->limits, size) ||
        display_modes_find(modes, size) >= 0)
        return;
    for (; place > 0 && comes_before(size, &modes->sizes[place - 1]); place--)
        modes->sizes[place] = modes->sizes[place - 1];
    modes->sizes[place] = *size;
    modes->count++;
}

static struct display_size host_size(const struct display_sources *sources, uint32_t index)
{
    return (struct display_size){ sources->host[index].width, sources->host[index].height };
}

/* Usual sizes that are no larger than the host's largest; all, of a host without a list. */
static void add_usual(struct display_modes *modes, const struct display_sources *sources)
{
    struct display_size largest = { 0, 0 };

    for (uint32_t i = 0; i < sources->host_count; i++) {
        const struct display_size size = host_size(sources, i);

        if (size.width > largest.width)
            largest.width = size.width;
        if (size.height > largest.height)
            largest.height = size.height;
    }
    for (uint32_t i = 0; i < sizeof usual_sizes / sizeof *usual_sizes; i++)
        if (sources->host_count == 0 || (usual_sizes[i].width <= largest.width &&
                                         usual_sizes[i].height <= largest.height))
            add(modes, &usual_sizes[i]);
}

static bool prefer(struct display_modes *modes, const struct display_size *size)
{
    int index = display_modes_find(modes, size);

    if (index >= 0)
        modes->preferred = (uint32_t)index;
    return index >= 0;
}

static void choose(struct display_modes *modes, const struct display_sources *sources)
{
    for (uint32_t i = 0; i < sources->user_count; i++)
        if (prefer(modes, &sources->user[i]))
            return;
    if (prefer(modes, &sources->host_wish))
        return;
    if (sources->host_default < sources->host_count) {
        const struct display_size size = host_size(sources, sources->host_default);

        if (prefer(modes, &size))
            return;
    }
    prefer(modes, &fallback_size);
}

void display_modes_make(struct display_modes *modes, const struct display_limits *limits,
                        const struct display_sources *sources)
{
    memset(modes, 0, sizeof *modes);
    modes->limits = *limits;
    for (uint32_t i = 0; i < sources->user_count; i++)
        add(modes, &sources->user[i]);
    add(modes, &sources->host_wish);
    for (uint32_t i = 0; i < sources->host_count; i++) {
        const struct display_size size = host_size(sources, i);

        add(modes, &size);
    }
    add_usual(modes, sources);
    choose(modes, sources);
}

/* ---- sizes as text --------------------------------------------------------------------------- */

/* The number at *text, which moves behind it; 0: there is none, or it is too large. */
static uint32_t read_number(const char **text, const char *end)
{
    uint32_t number = 0;

    while (*text < end && **text >= '0' && **text <= '9' && number <= DISPLAY_EDGE_MAXIMUM)
        number = number * 10 + (uint32_t)(*(*text)++ - '0');
    return number <= DISPLAY_EDGE_MAXIMUM ? number : 0;
}

uint32_t display_sizes_read(const char *text, size_t length,
                            struct display_size sizes[DISPLAY_MODES_USER])
{
    const char *end = text;
    uint32_t count = 0;

    while (length-- > 0 && *end != '\0')
        end++;
    while (count < DISPLAY_MODES_USER && text < end) {
        struct display_size size;

        size.width = read_number(&text, end);
        if (size.width == 0 || text == end || *text++ != 'x')
            break;
        size.height = read_number(&text, end);
        if (size.height == 0 || (text < end && *text++ != ','))
            break;
        sizes[count++] = size;
    }
    return count;
}
