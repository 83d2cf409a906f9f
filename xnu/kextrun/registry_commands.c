/* SPDX-License-Identifier: BSD-3-Clause */
#include "xnu/kextrun/registry_commands.h"

#include <inttypes.h>
#include <string.h>

#include "xnu/iokit/startup.h"
#include "xnu/machine/files.h"

#define DATA_MAX (UINT64_C(4) << 20) /* bytes; no kernel takes longer properties of a program */

static void say_result(struct answer *answer, bool found, const char *class_name,
                       const char *property, int32_t result) {
    if (!found) {
        answer_say(answer, "error there is no %.80s in the registry\n", class_name);
    } else if (result != 0) {
        answer_say(answer, "error %.80s refused %.80s: 0x%08" PRIx32 "\n", class_name, property,
                   (uint32_t)result);
    } else {
        answer_say(answer, "ok\n");
    }
}

static void set_data(struct answer *answer, const char *class_name, const char *property,
                     const char *path) {
    uint8_t *data;
    size_t size;
    int32_t result;
    int status = machine_file_read(path, DATA_MAX, &data, &size);
    if (status != 0) {
        answer_say(answer, "error %.200s: %s\n", path, machine_error_text(status));
        return;
    }
    bool found = xnu_registry_set(class_name, property, data, size, false, &result);
    say_result(answer, found, class_name, property, result);
    machine_file_free(data);
}

void registry_set_command(struct answer *answer, char *words) {
    const char *class_name = strsep(&words, " ");
    const char *property = class_name == NULL ? NULL : strsep(&words, " ");
    int32_t result;
    if (property == NULL || words == NULL) {
        answer_say(answer, "usage set takes CLASS PROPERTY TEXT, or CLASS PROPERTY @FILE\n");
    } else if (words[0] == '@') {
        set_data(answer, class_name, property, words + 1);
    } else {
        bool found = xnu_registry_set(class_name, property, words, strlen(words), true, &result);
        say_result(answer, found, class_name, property, result);
    }
}
