/* SPDX-License-Identifier: BSD-3-Clause */
#include "xnu/kextrun/layout_command.h"

#include <stdlib.h>

#include "layouts/layout.h"
#include "xnu/families/hid/key_layout.h"
#include "xnu/machine/files.h"

#define TEXT_MAX (UINT64_C(64) << 10) /* bytes */

/* Those that were in use stay: a key may be under way. */
struct chosen {
    struct layout layout;
    struct chosen *older;
};
static struct chosen *newest;

static void use(struct answer *answer, const char *path, const char *text, size_t size) {
    struct chosen *chosen = malloc(sizeof *chosen);
    if (chosen == NULL) {
        answer_say(answer, "error no memory\n");
        return;
    }
    uint32_t line = layout_read(&chosen->layout, text, size);
    if (line != 0) {
        answer_say(answer, "error %.200s:%u is no line of a layout\n", path, line);
        free(chosen);
        return;
    }
    chosen->older = newest;
    newest = chosen;
    key_layout_choose(&chosen->layout);
    answer_say(answer, "ok\n%s\n", chosen->layout.name);
}

void layout_command(struct answer *answer, const char *path) {
    uint8_t *text;
    size_t size;
    if (path == NULL) {
        key_layout_choose(NULL);
        answer_say(answer, "ok\nus\n");
        return;
    }
    int status = machine_file_read(path, TEXT_MAX, &text, &size);
    if (status != 0) {
        answer_say(answer, "error %.200s: %s\n", path, machine_error_text(status));
        return;
    }
    use(answer, path, (const char *)text, size);
    machine_file_free(text);
}
