/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules about the general keys of personalities. */
#include "match/lint.h"

#include "match/classes.h"
#include "match/libraries.h"

#include <stdio.h>
#include <string.h>

static void lint_classes(const struct lint_place *place)
{
    static const char *const above[] = { "IORegistryEntry", "OSObject", "OSMetaClassBase",
                                         "OSContainer" };
    const struct plist *class_name = plist_get(place->keys, "IOClass");
    const struct plist *provider = plist_get(place->keys, "IOProviderClass");
    const char *name = plist_string(provider);
    const char *known;
    size_t index;

    if (plist_string(class_name) == NULL || *plist_string(class_name) == '\0')
        lint_report(place, LINT_CLASS_MISSING, class_name == NULL ? place->keys : class_name,
                    "IOClass is %s",
                    class_name == NULL                 ? "missing"
                    : plist_string(class_name) == NULL ? plist_type_name(class_name)
                                                       : "empty");
    if (name == NULL || *name == '\0') {
        lint_report(place, LINT_PROVIDER_CLASS_MISSING, provider == NULL ? place->keys : provider,
                    "IOProviderClass is %s: the personality never enters the catalogue",
                    provider == NULL ? "missing"
                    : name == NULL   ? plist_type_name(provider)
                                     : "empty");
        return;
    }
    for (index = 0; index < sizeof above / sizeof *above; index++)
        if (strcmp(name, above[index]) == 0) {
            lint_report(place, LINT_PROVIDER_CLASS_UNREACHABLE, provider, "%s is above IOService",
                        name);
            return;
        }
    known = class_in_any_case(name);
    if (known != NULL && strcmp(name, known) != 0)
        lint_report(place, LINT_PROVIDER_CLASS_SPELLING, provider, "%.80s is no class: there is %s",
                    name, known);
}

static void lint_types(const struct lint_place *place)
{
    const struct plist *score = plist_get(place->keys, "IOProbeScore");
    const struct plist *category = plist_get(place->keys, "IOMatchCategory");
    const struct plist *debug = plist_get(place->keys, "IOKitDebug");

    if (score != NULL && !plist_is(score, PLIST_INTEGER))
        lint_report(place, LINT_SCORE_TYPE, score,
                    "IOProbeScore is of type %s%s%.40s: it counts as 0", plist_type_name(score),
                    plist_string(score) == NULL ? "" : ", ",
                    plist_string(score) == NULL ? "" : plist_string(score));
    if (category != NULL && plist_string(category) == NULL)
        lint_report(place, LINT_CATEGORY_TYPE, category, "IOMatchCategory is of type %s",
                    plist_type_name(category));
    if (debug != NULL && !plist_is(debug, PLIST_INTEGER))
        lint_report(place, LINT_DEBUG_TYPE, debug, "IOKitDebug is of type %s",
                    plist_type_name(debug));
}

static void lint_code_bundle(const struct lint_place *place)
{
    const struct plist *bundle = plist_get(place->keys, "CFBundleIdentifier");
    const char *identifier = plist_string(bundle);
    const char *class_name = plist_string(plist_get(place->keys, "IOClass"));
    const struct kext *kext;

    if (identifier == NULL) {
        lint_report(place, LINT_PERSONALITY_BUNDLE_MISSING, place->keys,
                    "no CFBundleIdentifier: the kext's own is put in");
        identifier = place->kext->identifier;
    }
    if (text_has_build_variable(identifier) || *identifier == '\0' ||
        strcmp(identifier, "com.apple.kernel") == 0 ||
        strncmp(identifier, "com.apple.kpi.", 14) == 0)
        return;
    kext = libraries_find(place->set, identifier);
    if (kext == NULL && strncmp(identifier, "com.apple.", strlen("com.apple.")) != 0)
        lint_report(place, LINT_PERSONALITY_BUNDLE_UNKNOWN, bundle == NULL ? place->keys : bundle,
                    "the code is in %.80s, which is not among the kexts", identifier);
    if (kext != NULL && !kext_has_code(kext) &&
        (class_name == NULL || strcmp(class_name, "IOService") != 0))
        lint_report(place, LINT_PERSONALITY_BUNDLE_CODELESS, bundle == NULL ? place->keys : bundle,
                    "%.80s has no code", identifier);
}

static void lint_resources(const struct lint_place *place)
{
    const char *provider = plist_string(plist_get(place->keys, "IOProviderClass"));
    const char *class_name = plist_string(plist_get(place->keys, "IOClass"));
    const char *category = plist_string(plist_get(place->keys, "IOMatchCategory"));

    if (provider == NULL || class_name == NULL || strcmp(provider, "IOResources") != 0)
        return;
    if (category == NULL || strcmp(category, class_name) != 0)
        lint_report(place, LINT_RESOURCES_CATEGORY, place->keys,
                    "on IOResources its category is %.80s, not its class "
                    "%.80s",
                    category == NULL ? "the default one" : category, class_name);
}

/* "pci8086,10D3", "pci08086,...", "PCI8086,...": forms that no device answers to. */
static void lint_name(const struct lint_place *place, const struct plist *where, const char *name)
{
    const char *star = strchr(name, '*');
    unsigned vendor;
    unsigned device;
    char right[40];
    int end = 0;

    if (star != NULL && star[1] != '\0')
        lint_report(place, LINT_NAME_WILDCARD, where, "\"%.80s\" has a * before its end", name);
    if (strncasecmp(name, "pci", 3) != 0 || strncasecmp(name, "pciclass", 8) == 0)
        return;
    if (sscanf(name + 3, "%4x,%4x%n", &vendor, &device, &end) != 2 || name[3 + end] != '\0')
        return;
    snprintf(right, sizeof right, "pci%x,%x", vendor, device);
    if (strcmp(right, name) != 0)
        lint_report(place, LINT_NAME_SPELLING, where,
                    "\"%.80s\" never matches: devices answer to \"%s\"", name, right);
}

static void lint_names(const struct lint_place *place)
{
    const struct plist *names = plist_get(place->keys, "IONameMatch");
    size_t index;

    if (names == NULL)
        return;
    if (plist_is(names, PLIST_STRING)) {
        lint_name(place, names, plist_string(names));
        return;
    }
    if (!plist_is(names, PLIST_ARRAY) && !plist_is(names, PLIST_SET)) {
        lint_report(place, LINT_NAME_TYPE, names, "IONameMatch is of type %s",
                    plist_type_name(names));
        return;
    }
    for (index = 0; index < plist_count(names); index++) {
        const struct plist *name = plist_value_at(names, index);

        if (plist_string(name) == NULL) {
            lint_report(place, LINT_NAME_TYPE, name, "element %zu of IONameMatch is of type %s",
                        index, plist_type_name(name));
            return;
        }
        lint_name(place, name, plist_string(name));
    }
}

/* Numbers never equal the data that nubs publish. */
static void lint_properties(const struct lint_place *place)
{
    static const char *const data_keys[] = { "vendor-id",    "device-id",  "subsystem-vendor-id",
                                             "subsystem-id", "class-code", "revision-id" };
    const struct plist *wanted = plist_get(place->keys, "IOPropertyMatch");
    size_t index;

    for (index = 0; index < sizeof data_keys / sizeof *data_keys; index++) {
        const struct plist *value = plist_get(wanted, data_keys[index]);

        if (value != NULL && !plist_is(value, PLIST_DATA))
            lint_report(place, LINT_PROPERTY_NUMBER, value,
                        "IOPropertyMatch %s is of type %s, the nub's is data", data_keys[index],
                        plist_type_name(value));
    }
}

/* Architecture forms of keys inside a personality are not looked at. */
static void lint_key_names(const struct lint_place *place)
{
    size_t index;

    for (index = 0; index < plist_count(place->keys); index++) {
        const char *key = plist_key_at(place->keys, index);
        const char *end = strrchr(key, '_');

        if (strncmp(key, "IO", 2) == 0 && end != NULL &&
            (strcmp(end, "_i386") == 0 || (end - key > 4 && strcmp(end - 4, "_x86_64") == 0) ||
             strcmp(end, "_arm64") == 0))
            lint_report(place, LINT_ARCHITECTURE_KEY_IGNORED, plist_value_at(place->keys, index),
                        "%.80s is ignored inside a personality", key);
    }
}

void lint_personality(const struct lint_place *place)
{
    lint_classes(place);
    lint_types(place);
    lint_code_bundle(place);
    lint_resources(place);
    lint_names(place);
    lint_properties(place);
    lint_key_names(place);
}
