/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/match/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "match/file.h"

static const char head[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict>"
    "<key>CFBundleIdentifier</key><string>%s</string>"
    "<key>CFBundlePackageType</key><string>KEXT</string>"
    "<key>CFBundleVersion</key><string>1.0</string>"
    "<key>IOKitPersonalities</key><dict>%s</dict></dict></plist>";

struct kext *add_kext(struct kext_set *set, const char *identifier, const char *personalities)
{
    const struct kext_options options = { .mode = PLIST_FILE_LENIENT };
    struct problems problems = { 0 };
    char *text = NULL;
    struct kext *kext;

    assert_true(asprintf(&text, head, identifier, personalities) > 0);
    kext = kext_set_add_text(set, text, strlen(text), identifier, &options, &problems);
    if (kext == NULL)
        fail_msg("%s", problems.count > 0 ? problems.list[0].text : "no kext");
    problems_clear(&problems);
    free(text);
    return kext;
}

const char *personality(const char *name, const char *keys)
{
    static char buffers[8][4096];
    static unsigned next;
    char *buffer = buffers[next++ % 8];

    snprintf(buffer, sizeof buffers[0],
             "<key>%s</key><dict><key>IOClass</key><string>Class</string>"
             "<key>IOProviderClass</key><string>IOPCIDevice</string>%s</dict>",
             name, keys);
    return buffer;
}

struct device_record *add_device(struct device_list *list, const char *word)
{
    struct problems problems = { 0 };

    if (!device_read_word(word, "test", 0, list, &problems))
        fail_msg("%s: %s", word, problems.count > 0 ? problems.list[0].text : "refused");
    problems_clear(&problems);
    return list->records[list->count - 1];
}

static void count_candidate(struct verdict *verdict, const struct candidate *candidate,
                            const char *category)
{
    verdict->undecided += candidate->state == CANDIDATE_UNDECIDED;
    if (strcmp(candidate->category, category) != 0)
        return;
    verdict->invalid += candidate->state == CANDIDATE_INVALID;
    verdict->matches += candidate->state == CANDIDATE_WINNER || candidate->state == CANDIDATE_LOSER;
    if (candidate->state != CANDIDATE_WINNER)
        return;
    snprintf(verdict->winner, sizeof verdict->winner, "%s", candidate->entry->name);
    snprintf(verdict->class_name, sizeof verdict->class_name, "%s", candidate->class_name);
    verdict->score = candidate->score;
    verdict->tie = candidate->tie;
    candidate_why(candidate, verdict->why, sizeof verdict->why);
}

struct verdict judge(const struct kext_set *set, const struct device_record *device,
                     const char *category, unsigned release)
{
    struct verdict verdict = { .winner = "none", .class_name = "-" };
    struct match_outcome outcome;
    struct matcher matcher;
    size_t index;

    assert_true(matcher_init(&matcher, release, "x86_64"));
    assert_true(matcher_add(&matcher, set, NULL));
    assert_true(matcher_match(&matcher, device, MATCH_DETAIL_STEPS, &outcome));
    for (index = 0; index < outcome.count; index++)
        count_candidate(&verdict, &outcome.candidates[index],
                        category == NULL ? "IODefaultMatchCategory" : category);
    match_outcome_clear(&outcome);
    matcher_clear(&matcher);
    return verdict;
}

static const char *source_root(void)
{
    const char *root = getenv("MACHV_SOURCE_ROOT");

    return root == NULL ? "." : root;
}

const char *fixture(const char *path)
{
    static char buffers[4][512];
    static unsigned next;
    char *buffer = buffers[next++ % 4];

    snprintf(buffer, sizeof buffers[0], "%s/tests/fixtures/match/%s", source_root(), path);
    return buffer;
}

const char *corpus_folder(void)
{
    static char buffer[512];
    const char *given = getenv("MACHV_CORPUS");
    struct stat status;

    if (given != NULL)
        snprintf(buffer, sizeof buffer, "%s", given);
    else
        snprintf(buffer, sizeof buffer, "%s/../shared/corpus", source_root());
    return stat(buffer, &status) == 0 && S_ISDIR(status.st_mode) ? buffer : NULL;
}

char *read_whole(const char *path, size_t *size)
{
    char *text = file_read(path, 64 << 20, size);

    if (text == NULL)
        fail_msg("%s cannot be read", path);
    return text;
}

size_t split_tabs(char *line, char **fields, size_t room)
{
    size_t count = 0;

    while (count < room) {
        fields[count++] = line;
        line = strchr(line, '\t');
        if (line == NULL)
            break;
        *line++ = '\0';
    }
    return count;
}

char *make_root(void)
{
    char root[] = "/tmp/kextmatch-test-XXXXXX";

    assert_non_null(mkdtemp(root));
    return strdup(root);
}

void remove_root(char *root)
{
    char command[100];

    snprintf(command, sizeof command, "rm -r '%s'", root);
    assert_int_equal(system(command), 0);
    free(root);
}

void put_bytes(const char *path, const void *bytes, size_t size)
{
    char folder[400];
    FILE *file;
    size_t index;

    snprintf(folder, sizeof folder, "%s", path);
    for (index = 1; folder[index] != '\0'; index++)
        if (folder[index] == '/') {
            folder[index] = '\0';
            mkdir(folder, 0755);
            folder[index] = '/';
        }
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* A small x86_64 kext executable without anything in it. */
void put_executable(const char *path, unsigned cpu_word, bool is_signed)
{
    unsigned char bytes[64] = { 0xCF, 0xFA, 0xED, 0xFE, 7, 0, 0, 1, 3, 0, 0, 0, 11 };

    bytes[4] = (unsigned char)cpu_word;
    if (is_signed) {
        bytes[16] = 1;
        bytes[20] = 16;
        bytes[32] = 0x1D;
        bytes[36] = 16;
    }
    put_bytes(path, bytes, sizeof bytes);
}

void put_bundle(const char *root, const char *name, const char *identifier,
                       const char *version, const char *more)
{
    char path[300];
    char text[2000];

    snprintf(path, sizeof path, "%s/%s/Contents/Info.plist", root, name);
    snprintf(text, sizeof text,
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict>"
             "<key>CFBundleIdentifier</key><string>%s</string><key>CFBundlePackageType</"
             "key><string>KEXT</string>"
             "<key>CFBundleVersion</key><string>%s</string>%s</dict></plist>",
             identifier, version, more);
    put_bytes(path, text, strlen(text));
}
