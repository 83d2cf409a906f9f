/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/inf_models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    BUILD_FIELD_FROM = 14310,    /* older Windows know no build field */
    MANUFACTURERS_CHECKED = 200, /* for sections that nobody names: the check is a product */
};

/* ---- decorations ---- */

static bool take_part(const char **text, char *part, size_t size)
{
    size_t length;

    if (**text != '.')
        return false;
    (*text)++;
    length = strcspn(*text, ".");
    snprintf(part, size, "%.*s", (int)(length < size ? length : size - 1), *text);
    *text += length;
    return true;
}

struct inf_decoration inf_decoration_parse(const char *text)
{
    static const char *const architectures[] = { "", "x86", "ia64", "amd64", "arm", "arm64" };
    struct inf_decoration decoration = { .is_plain = *text == '\0' };
    unsigned *const fields[] = { &decoration.major, &decoration.minor, &decoration.product,
                                 &decoration.suite, &decoration.build };
    char part[24];
    size_t length;
    size_t index;

    if (decoration.is_plain) {
        decoration.valid = true;
        return decoration;
    }
    if (strncasecmp(text, "NT", 2) != 0)
        return decoration;
    text += 2;
    length = strcspn(text, ".");
    for (index = 0; index < sizeof architectures / sizeof *architectures; index++)
        if (strlen(architectures[index]) == length &&
            strncasecmp(text, architectures[index], length) == 0) {
            decoration.valid = true;
            snprintf(decoration.architecture, sizeof decoration.architecture, "%s",
                     architectures[index]);
        }
    text += length;
    for (index = 0; index < 5 && take_part(&text, part, sizeof part); index++) {
        char *end;

        *fields[index] = (unsigned)strtoul(part, &end, 0);
        decoration.valid &= *end == '\0';
        decoration.has_version |= index == 0 && *part != '\0';
    }
    decoration.valid &= *text == '\0';
    return decoration;
}

static bool is_x86(const struct inf_target *target)
{
    return strcasecmp(target->architecture, "x86") == 0;
}

bool inf_decoration_applies(const struct inf_decoration *decoration,
                            const struct inf_target *target)
{
    unsigned wanted = decoration->major << 16 | decoration->minor;
    unsigned have = target->major << 16 | target->minor;

    if (!decoration->valid)
        return false;
    if (*decoration->architecture != '\0' &&
        strcasecmp(decoration->architecture, target->architecture) != 0)
        return false;
    if (decoration->has_version && wanted > have)
        return false;
    if (decoration->product != 0 && target->product != 0 && decoration->product != target->product)
        return false;
    if (decoration->suite != 0 && (target->suite & decoration->suite) != decoration->suite)
        return false;
    /* Only a system of the same major and minor version looks at the build. */
    return decoration->build == 0 || !decoration->has_version || wanted != have ||
           (target->build >= BUILD_FIELD_FROM && target->build >= decoration->build);
}

/* How close a decoration is to the target; the larger the better. */
static uint64_t closeness(const struct inf_decoration *decoration, const struct inf_target *target)
{
    bool other = *decoration->architecture == '\0' &&
                 !is_x86(target); /* documented as not for this system */

    return (uint64_t)!other << 62 | (uint64_t)(decoration->major & 0xFF) << 54 |
           (uint64_t)(decoration->minor & 0xFF) << 46 |
           (uint64_t)(decoration->build & 0xFFFFFFF) << 16 |
           (uint64_t)(decoration->product != 0) << 3 | (uint64_t)(decoration->suite != 0) << 2 |
           (uint64_t)(*decoration->architecture != '\0') << 1 | !decoration->is_plain;
}

/* ---- models ---- */

struct collector {
    const struct inf *inf;
    const struct inf_target *target;
    struct inf_models *models;
    struct problems *problems;
    const char *manufacturer;
};

static void clear_model(struct inf_model *model)
{
    size_t index;

    for (index = 0; index < model->id_count; index++)
        free(model->ids[index]);
    free(model->ids);
    free(model->manufacturer);
    free(model->description);
    free(model->install);
}

void inf_models_clear(struct inf_models *models)
{
    size_t index;

    for (index = 0; index < models->count; index++)
        clear_model(&models->list[index]);
    free(models->list);
    *models = (struct inf_models){ NULL };
}

static bool make_room(struct inf_models *models)
{
    size_t capacity = models->capacity == 0 ? 16 : models->capacity * 2;
    struct inf_model *grown;

    if (models->count < models->capacity)
        return true;
    grown = realloc(models->list, capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    models->list = grown;
    models->capacity = capacity;
    return true;
}

/* "description = install-section, hardware-id, compatible-id..." */
static bool add_model(const struct collector *collector, const struct inf_entry *entry)
{
    const struct inf *inf = collector->inf;
    struct inf_model model = { .inf = inf, .section = entry->section_name, .line = entry->line };
    bool unknown = false;
    size_t index;

    if (entry->key == NULL || entry->count < 2) {
        problems_add(
            collector->problems, PROBLEM_WARNING, inf->path, entry->line,
            "a line of a models section needs a description, an install section and an id");
        return true;
    }
    model.manufacturer = strdup(collector->manufacturer);
    model.description = inf_expand(inf, entry->key, &unknown);
    model.install = inf_expand(inf, entry->values[0], &unknown);
    model.ids = calloc(entry->count, sizeof *model.ids);
    for (index = 1; model.ids != NULL && index < entry->count; index++) {
        model.ids[model.id_count] = inf_expand(inf, entry->values[index], &unknown);
        if (model.ids[model.id_count] == NULL)
            break;
        model.id_count++;
    }
    if (model.manufacturer == NULL || model.description == NULL || model.install == NULL ||
        model.ids == NULL || index != entry->count || !make_room(collector->models)) {
        clear_model(&model);
        return false;
    }
    if (unknown)
        problems_add(collector->problems, PROBLEM_WARNING, inf->path, entry->line,
                     "a %%token%% of this line is not in [Strings]: it stays as written");
    collector->models->list[collector->models->count++] = model;
    return true;
}

static bool add_section(const struct collector *collector, const char *base, const char *decoration,
                        const struct inf_entry *entry, bool warn)
{
    char name[INF_SECTION_NAME_MAX * 2 + 2];
    const struct inf_section *section;
    size_t index;

    snprintf(name, sizeof name, "%.*s%s%.*s", INF_SECTION_NAME_MAX, base,
             *decoration == '\0' ? "" : ".", INF_SECTION_NAME_MAX, decoration);
    section = inf_section(collector->inf, name);
    if (section == NULL) {
        if (warn)
            problems_add(collector->problems, PROBLEM_NOTE, collector->inf->path, entry->line,
                         "models section [%.100s] is chosen but not there: it has no devices for "
                         "this system",
                         name);
        return true;
    }
    for (index = 0; index < section->count; index++)
        if (!add_model(collector, &section->entries[index]))
            return false;
    return true;
}

static const char *decoration_at(const struct inf_entry *entry, size_t index)
{
    return index == 0 ? "" : entry->values[index];
}

/* The closest of the sections that an entry lists; of them the plain one is always a candidate.
 * Returns false when none applies. */
static bool choose(const struct collector *collector, const struct inf_entry *entry, size_t count,
                   size_t *chosen)
{
    uint64_t best = 0;
    bool found = false;
    size_t index;

    for (index = 0; index < count; index++) {
        struct inf_decoration decoration = inf_decoration_parse(decoration_at(entry, index));
        uint64_t close = closeness(&decoration, collector->target);

        if (!decoration.valid)
            problems_add(collector->problems, PROBLEM_WARNING, collector->inf->path, entry->line,
                         "\"%.60s\" is no decoration of a models section",
                         decoration_at(entry, index));
        if (!inf_decoration_applies(&decoration, collector->target) || (found && close <= best))
            continue;
        found = true;
        best = close;
        *chosen = index;
    }
    return found;
}

static bool add_manufacturer(struct collector *collector, const struct inf_entry *entry)
{
    bool unknown = false;
    size_t count = entry->key == NULL ? 1 : entry->count;
    char *base = inf_expand(collector->inf, entry->count > 0 ? entry->values[0] : "", &unknown);
    char *manufacturer = entry->key == NULL ? strdup(base == NULL ? "" : base)
                                            : inf_expand(collector->inf, entry->key, &unknown);
    struct inf_decoration decoration;
    size_t chosen = 0;
    bool done = base != NULL && manufacturer != NULL;
    size_t index;

    collector->manufacturer = manufacturer;
    if (done && collector->target == NULL) {
        for (index = 0; done && index < count; index++)
            done = add_section(collector, base, decoration_at(entry, index), entry, false);
    } else if (done && choose(collector, entry, count, &chosen)) {
        decoration = inf_decoration_parse(decoration_at(entry, chosen));
        if (*decoration.architecture == '\0' && !is_x86(collector->target) &&
            inf_section(collector->inf, base) != NULL)
            problems_add(
                collector->problems, PROBLEM_WARNING, collector->inf->path, entry->line,
                "models of [%.80s] name no architecture: documented as for x86 only since 2003 SP1",
                base);
        done = add_section(collector, base, decoration_at(entry, chosen), entry, chosen != 0);
    }
    free(base);
    free(manufacturer);
    return done;
}

/* Sections that look like models of a Manufacturer entry but that it does not name: nobody reads
 * them. */
static void warn_unreachable(const struct collector *collector,
                             const struct inf_section *manufacturers)
{
    const struct inf *inf = collector->inf;
    size_t at;
    size_t index;
    size_t value;

    for (at = 0; at < manufacturers->count; at++) {
        const struct inf_entry *entry = &manufacturers->entries[at];
        char *base = inf_expand(inf, entry->count > 0 ? entry->values[0] : "", NULL);
        size_t length = base == NULL ? 0 : strlen(base);

        for (index = 0; length > 0 && index < inf->count; index++) {
            const char *name = inf->sections[index].name;
            bool named = false;

            if (strncasecmp(name, base, length) != 0 || strncasecmp(name + length, ".NT", 3) != 0)
                continue;
            for (value = 1; value < entry->count && !named; value++)
                named = strcasecmp(name + length + 1, entry->values[value]) == 0;
            if (!named)
                problems_add(collector->problems, PROBLEM_WARNING, inf->path,
                             inf->sections[index].line,
                             "no line of [Manufacturer] names the models section [%.100s]", name);
        }
        free(base);
    }
}

static void warn_date(const struct inf *inf, struct problems *problems)
{
    const struct inf_entry *entry = inf_entry(inf_section(inf, "Version"), "DriverVer");
    unsigned date;
    uint64_t version;

    inf_driver_version(inf, &date, &version);
    if (entry != NULL && date == 0)
        problems_add(problems, PROBLEM_WARNING, inf->path, entry->line,
                     "DriverVer has no date mm/dd/yyyy that exists: it counts as the oldest");
}

bool inf_models_collect(const struct inf *inf, const struct inf_target *target,
                        struct inf_models *models, struct problems *problems)
{
    struct collector collector = { inf, target, models, problems, NULL };
    const struct inf_section *section = inf_section(inf, "Manufacturer");
    const char *class_name = inf_value(inf_section(inf, "Version"), "Class", 0);
    size_t index;

    if (class_name != NULL && strcasecmp(class_name, "Extension") == 0)
        problems_add(problems, PROBLEM_NOTE, inf->path, 0,
                     "an extension INF: it adds to another driver and never "
                     "drives a device alone");
    warn_date(inf, problems);
    if (section == NULL)
        problems_add(problems, PROBLEM_NOTE, inf->path, 0,
                     "no [Manufacturer]: the file is not for devices");
    if (section != NULL && section->count <= MANUFACTURERS_CHECKED)
        warn_unreachable(&collector, section);
    for (index = 0; section != NULL && index < section->count; index++)
        if (!add_manufacturer(&collector, &section->entries[index]))
            return false;
    return true;
}

/* ---- install sections ---- */

const struct inf_section *inf_install_section(const struct inf *inf, const char *name,
                                              const char *architecture, const char *suffix)
{
    char full[INF_SECTION_NAME_MAX + 1];
    const struct inf_section *section = NULL;

    snprintf(full, sizeof full, "%.200s.NT%.10s%.20s", name, architecture, suffix);
    section = inf_section(inf, full);
    if (section == NULL) {
        snprintf(full, sizeof full, "%.200s.NT%.20s", name, suffix);
        section = inf_section(inf, full);
    }
    if (section == NULL) {
        snprintf(full, sizeof full, "%.200s%.20s", name, suffix);
        section = inf_section(inf, full);
    }
    return section;
}

unsigned inf_feature_score(const struct inf *inf, const char *install, const char *architecture)
{
    const char *text =
        inf_value(inf_install_section(inf, install, architecture, ""), "FeatureScore", 0);
    char *end;
    unsigned long score;

    if (text == NULL)
        return 0xFF;
    score = strtoul(text, &end, 16); /* hexadecimal, with or without 0x */
    return *end == '\0' && end != text && score <= 0xFF ? (unsigned)score : 0xFF;
}

char *inf_section_service(const struct inf *inf, const struct inf_section *section)
{
    const char *name = inf_value(section, "AddService", 0);

    return name == NULL || *name == '\0' ? NULL : inf_expand(inf, name, NULL);
}

char *inf_section_service_binary(const struct inf *inf, const struct inf_section *section)
{
    const char *install = inf_value(section, "AddService", 2);
    char *name = install == NULL ? NULL : inf_expand(inf, install, NULL);
    const char *binary =
        name == NULL ? NULL : inf_value(inf_section(inf, name), "ServiceBinary", 0);
    char *expanded = binary == NULL ? NULL : inf_expand(inf, binary, NULL);

    free(name);
    return expanded;
}

char *inf_service(const struct inf *inf, const char *install, const char *architecture)
{
    return inf_section_service(inf, inf_install_section(inf, install, architecture, ".Services"));
}

char *inf_service_binary(const struct inf *inf, const char *install, const char *architecture)
{
    return inf_section_service_binary(
        inf, inf_install_section(inf, install, architecture, ".Services"));
}
