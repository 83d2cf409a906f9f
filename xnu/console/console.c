/* SPDX-License-Identifier: BSD-3-Clause */
/* console.c - the thread that draws, and what wakes it: lines of the log, keys, the pointer,
 * another picture.
 *
 * Lock order: whatever callers of the observers hold, then `lock`, then `input_lock`. Functions of
 * the framebuffer, which take its gate, are called with neither. */
#include "xnu/console/console.h"

#include <stdatomic.h>

#include "abi/constants/errno.h"

#include "xnu/bsd/kpi_string.h"
#include "xnu/console/log_view.h"
#include "xnu/console/pointer_shape.h"
#include "xnu/families/hid/input_events.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/log.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/threads.h"

enum {
    TITLE_MAX = 80,
    TYPED_MAX = 256,                    /* characters of the line that is typed */
    LOG_CHUNK = 4096,                   /* bytes */
    LOG_REPLAY = 32 * 1024,             /* of the log, for a new picture */
    PROMPT = '>', BLOCK = '_',
    RETURN = '\r', BACKSPACE = 0x7f, ESCAPE = 0x1b,
};
#define FRAME_NS UINT64_C(20000000)

struct input {
    uint16_t typed[TYPED_MAX];          /* not yet on the screen */
    uint32_t count;
    struct pointer_state pointer;
    struct pointer_range range;         /* zero: no pointer has moved yet */
};

static struct console {
    struct machine_thread *thread;      /* NULL: the console does not run */
    struct machine_mutex *lock;
    atomic_bool pending, stopping;
    char title[TITLE_MAX];
    /* Under `lock`. */
    struct framebuffer_picture picture; /* pixels NULL: none */
    bool is_paused, cursor_wanted, has_cursor; /* in hardware */
    struct text_screen screen;
    void *cells;
    size_t cells_bytes;
    struct log_view view;
    uint64_t log_position;
    uint16_t line[TYPED_MAX];
    uint32_t line_length;
    struct drawn_pointer drawn_pointer;
    int32_t pointer_x, pointer_y;
    bool pointer_known;
    /* Under `input_lock`. */
    struct machine_spin_lock input_lock;
    struct input input;
} console;

/* ---- waking the thread ---------------------------------------------------------------------- */

/* Host threads may log too: their lines are seen with the next ones. */
static void wake(void)
{
    if (machine_thread_self() != NULL && !atomic_exchange(&console.pending, true))
        machine_wakeup(&console, false);
}

static void key_typed(uint32_t character)
{
    bool enabled = machine_spin_lock_disable_interrupts(&console.input_lock);

    if (console.input.count < TYPED_MAX)
        console.input.typed[console.input.count++] = (uint16_t)character;
    machine_spin_unlock_restore_interrupts(&console.input_lock, enabled);
    wake();
}

static void pointer_moved(const struct pointer_state *pointer, const struct pointer_range *range)
{
    bool enabled = machine_spin_lock_disable_interrupts(&console.input_lock);

    console.input.pointer = *pointer;
    console.input.range = *range;
    machine_spin_unlock_restore_interrupts(&console.input_lock, enabled);
    wake();
}

static const struct input_observer input_observer = { key_typed, pointer_moved };

/* ---- the picture ---------------------------------------------------------------------------- */

static void drop_picture(void)
{
    machine_release(console.cells, console.cells_bytes);
    console.cells = NULL;
    console.picture.pixels = NULL;
    console.drawn_pointer.is_drawn = false;
}

/* Everything is drawn anew: title, the end of the log, the line that is being typed. */
static void take_picture(const struct framebuffer_picture *picture)
{
    drop_picture();
    console.cells_bytes = text_screen_bytes(picture->width, picture->height);
    console.cells =
        console.cells_bytes ? machine_allocate_zeroed(console.cells_bytes, 0) : NULL;
    if (!console.cells)
        return;
    console.picture = *picture;
    text_screen_open(&console.screen, picture, console.cells);
    log_view_open(&console.view, &console.screen, 1,
                  console.screen.rows > 1 ? console.screen.rows - 1 : 1);
    console.log_position =
        console.log_position > LOG_REPLAY ? console.log_position - LOG_REPLAY : 0;
}

static void picture_shown(const struct framebuffer_picture *picture)
{
    machine_mutex_lock(console.lock);
    take_picture(picture);
    console.cursor_wanted = true;
    console.has_cursor = false;
    machine_mutex_unlock(console.lock);
    wake();
}

static void picture_hidden(void)
{
    machine_mutex_lock(console.lock);
    drop_picture();
    machine_mutex_unlock(console.lock);
}

static const struct framebuffer_observer framebuffer_observer = { picture_shown, picture_hidden };

/* ---- what is on it -------------------------------------------------------------------------- */

static void put_text(uint32_t row, uint32_t column, const char *text, enum text_style style)
{
    for (; *text; text++)
        text_screen_put(&console.screen, row, column++, (uint8_t)*text, style);
}

static void show_title(void)
{
    text_screen_clear(&console.screen, 0, 0, TEXT_TITLE);
    put_text(0, 1, console.title, TEXT_TITLE);
}

static void read_log(void)
{
    char text[LOG_CHUNK];
    size_t copied;
    uint64_t lost;

    do {
        console.log_position =
            machine_log_read(console.log_position, text, sizeof text, &copied, &lost);
        log_view_write(&console.view, text, copied);
    } while (copied == sizeof text);
}

static void take_character(uint16_t character)
{
    if (character == RETURN) {
        if (console.line_length > 0)
            log_view_add_line(&console.view, console.line, console.line_length, TEXT_INPUT);
        console.line_length = 0;
    } else if (character == BACKSPACE) {
        console.line_length -= console.line_length > 0;
    } else if (character == ESCAPE) {
        console.line_length = 0;
    } else if (character >= ' ' && console.line_length < TYPED_MAX) {
        console.line[console.line_length++] = character;
    }
}

/* The end of the line, if it is longer than the row. */
static void show_line(void)
{
    uint32_t row = console.screen.rows - 1, columns = console.screen.columns;
    uint32_t room = columns > 4 ? columns - 4 : 0;
    uint32_t first = console.line_length > room ? console.line_length - room : 0, column = 2;

    text_screen_clear(&console.screen, row, 0, TEXT_INPUT);
    text_screen_put(&console.screen, row, 0, PROMPT, TEXT_INPUT);
    for (uint32_t i = first; i < console.line_length; i++)
        text_screen_put(&console.screen, row, column++, console.line[i], TEXT_INPUT);
    text_screen_put(&console.screen, row, column, BLOCK, TEXT_INPUT);
}

/* A position in the device's range as a pixel, as macOS scales it. */
static int32_t pixel_of(int32_t value, int32_t minimum, int32_t maximum, uint32_t size)
{
    int64_t range = (int64_t)maximum - minimum;
    int64_t pixel = range > 0 ? ((int64_t)value - minimum) * size / range : 0;

    return (int32_t)(pixel < 0 ? 0 : pixel >= size ? size - 1 : pixel);
}

/* Returns whether the pointer has moved. */
static bool take_input(void)
{
    struct input input;
    bool enabled = machine_spin_lock_disable_interrupts(&console.input_lock);

    input = console.input;
    console.input.count = 0;
    machine_spin_unlock_restore_interrupts(&console.input_lock, enabled);
    for (uint32_t i = 0; i < input.count; i++)
        take_character(input.typed[i]);
    if (input.range.maximum_x <= input.range.minimum_x)
        return false;

    int32_t x = pixel_of(input.pointer.x, input.range.minimum_x, input.range.maximum_x,
                         console.picture.width);
    int32_t y = pixel_of(input.pointer.y, input.range.minimum_y, input.range.maximum_y,
                         console.picture.height);
    bool moved = !console.pointer_known || x != console.pointer_x || y != console.pointer_y;

    console.pointer_x = x;
    console.pointer_y = y;
    console.pointer_known = true;
    return moved;
}

/* The pixels may go at any time before a driver has them: the host takes its memory back. */
static void paint(void)
{
    const struct framebuffer_picture *picture = &console.picture;

    if (!machine_memory_hold(picture->address, (uint64_t)picture->pitch * picture->height))
        return;
    pointer_erase(&console.drawn_pointer, picture);
    text_screen_paint(&console.screen);
    if (console.pointer_known && !console.has_cursor)
        pointer_draw(&console.drawn_pointer, picture, console.pointer_x, console.pointer_y);
    machine_memory_let_go();
}

/* ---- the thread ----------------------------------------------------------------------------- */

/* The driver draws the pointer if it can. */
static void offer_cursor(void)
{
    static uint32_t pixels[POINTER_WIDTH * POINTER_HEIGHT];
    const struct framebuffer_cursor cursor = { pixels, POINTER_WIDTH, POINTER_HEIGHT, 0, 0 };
    bool wanted;

    machine_mutex_lock(console.lock);
    wanted = console.cursor_wanted;
    console.cursor_wanted = false;
    machine_mutex_unlock(console.lock);
    if (!wanted)
        return;
    pointer_shape_pixels(pixels);
    bool has_cursor = framebuffer_set_cursor(&cursor) == 0;
    machine_mutex_lock(console.lock);
    console.has_cursor = has_cursor;
    console.pointer_known = false; /* it is told where */
    machine_mutex_unlock(console.lock);
}

static void update(void)
{
    bool moved = false;
    int32_t x, y;

    offer_cursor();
    machine_mutex_lock(console.lock);
    if (console.picture.pixels && !console.is_paused) {
        read_log();
        moved = take_input() && console.has_cursor;
        show_title();
        show_line();
        paint();
    }
    x = console.pointer_x;
    y = console.pointer_y;
    machine_mutex_unlock(console.lock);
    if (moved)
        framebuffer_move_cursor(x, y, true);
}

static void wait_for_news(void)
{
    machine_wait_prepare(&console, MACHINE_NEVER, false);
    if (atomic_load(&console.pending))
        machine_wait_cancel();
    else
        machine_wait_block();
    atomic_store(&console.pending, false);
}

/* What comes within a frame is drawn together. */
static void wait_for_frame(void)
{
    static const char frame;

    if (!atomic_load(&console.stopping))
        machine_sleep(NULL, &frame, machine_uptime() + FRAME_NS, false);
}

static void console_main(void *argument)
{
    while (!atomic_load(&console.stopping)) {
        update();
        wait_for_frame();
        wait_for_news();
    }
}

/* ---- start and end -------------------------------------------------------------------------- */

int console_start(const struct console_options *options)
{
    console = (struct console){ .lock = machine_mutex_create("console") };
    if (!console.lock)
        return -ENOMEM;
    for (size_t i = 0; i < TITLE_MAX - 1 && options->title[i]; i++)
        console.title[i] = options->title[i];
    if (options->boot.pixels)
        take_picture(&options->boot);
    console.thread = machine_thread_start("console", console_main, NULL);
    if (!console.thread) {
        drop_picture();
        machine_mutex_destroy(console.lock);
        return -ENOMEM;
    }
    machine_log_set_listener(wake);
    input_events_observe(&input_observer);
    framebuffer_observe(&framebuffer_observer);
    return 0;
}

void console_stop(void)
{
    if (!console.thread)
        return;
    framebuffer_observe(NULL);
    input_events_observe(NULL);
    machine_log_set_listener(NULL);
    atomic_store(&console.stopping, true);
    atomic_store(&console.pending, true);
    machine_wakeup(&console, false);
    machine_thread_join(console.thread);
    machine_thread_release(console.thread);
    console.thread = NULL;
    drop_picture();
    machine_mutex_destroy(console.lock);
}

void console_pause(bool paused)
{
    if (!console.thread)
        return;
    machine_mutex_lock(console.lock);
    console.is_paused = paused;
    if (!paused && console.picture.pixels) {
        struct framebuffer_picture picture = console.picture;

        take_picture(&picture);
    }
    machine_mutex_unlock(console.lock);
    wake();
}
