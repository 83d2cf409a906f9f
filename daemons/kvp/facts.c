/* SPDX-License-Identifier: BSD-3-Clause */
/* Facts about the guest. */
#include "daemons/kvp/facts.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "daemons/kvp/addresses.h"

#ifndef DAEMON_VERSION
#define DAEMON_VERSION "unknown"
#endif

const char *fact_version_plist = "/System/Library/CoreServices/SystemVersion.plist";
const char *fact_os_release = "/etc/os-release";

struct version {
    char name[128], version[64], build[128];
};

/* ---- What system is it? ---- */

static size_t read_text(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    size_t length = 0;

    if (file != NULL) {
        length = fread(text, 1, size - 1, file);
        fclose(file);
    }
    text[length] = '\0';
    return length;
}

static void copy_until(const char *from, const char *ends, char *to, size_t size)
{
    size_t length = strcspn(from, ends);

    if (length >= size)
        length = size - 1;
    memcpy(to, from, length);
    to[length] = '\0';
}

bool fact_from_plist(const char *text, const char *key, char *value, size_t size)
{
    char element[128];
    const char *at;

    snprintf(element, sizeof element, "<key>%s</key>", key);
    at = strstr(text, element);
    at = at != NULL ? strstr(at, "<string>") : NULL;
    if (at == NULL)
        return false;
    copy_until(at + strlen("<string>"), "<", value, size);
    return true;
}

/* NAME="value" of a line of os-release. */
static bool from_os_release(const char *text, const char *name, char *value, size_t size)
{
    size_t length = strlen(name);
    const char *line = text;

    for (; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, length) == 0 && line[length] == '=') {
            line += length + 1;
            line += *line == '"';
            copy_until(line, "\"\n", value, size);
            return true;
        }
    }
    return false;
}

static void find_version(struct version *version)
{
    char text[8192];
    struct utsname kernel;

    memset(version, 0, sizeof *version);
    if (uname(&kernel) == 0) {
        snprintf(version->name, sizeof version->name, "%s", kernel.sysname);
        snprintf(version->version, sizeof version->version, "%.60s", kernel.release);
        snprintf(version->build, sizeof version->build, "%.120s", kernel.release);
    }
    if (read_text(fact_version_plist, text, sizeof text) > 0) {
        fact_from_plist(text, "ProductName", version->name, sizeof version->name);
        fact_from_plist(text, "ProductVersion", version->version, sizeof version->version);
        fact_from_plist(text, "ProductBuildVersion", version->build, sizeof version->build);
    } else if (read_text(fact_os_release, text, sizeof text) > 0) {
        from_os_release(text, "NAME", version->name, sizeof version->name);
        from_os_release(text, "VERSION_ID", version->version, sizeof version->version);
    }
}

/* Part `number` of "10.15.7"; "0" if there is none. */
static void version_part(const char *version, unsigned number, char *value, size_t size)
{
    while (number > 0 && version != NULL) {
        version = strchr(version, '.');
        version = version != NULL ? version + 1 : NULL;
        number--;
    }
    copy_until(version != NULL && *version != '\0' ? version : "0", ".", value, size);
}

static void find_domain_name(char *value, size_t size)
{
    struct addrinfo hints, *found = NULL;

    memset(&hints, 0, sizeof hints);
    hints.ai_flags = AI_CANONNAME;
    if (gethostname(value, size) != 0)
        value[0] = '\0';
    value[size - 1] = '\0';
    if (value[0] != '\0' && getaddrinfo(value, NULL, &hints, &found) == 0 && found != NULL) {
        if (found->ai_canonname != NULL)
            snprintf(value, size, "%s", found->ai_canonname);
        freeaddrinfo(found);
    }
}

/* ---- The items ---- */

const char *fact_at(unsigned index, char *value, size_t size)
{
    static const char *const names[IC_KVP_AUTO_COUNT] = {
        [IC_KVP_AUTO_DOMAIN_NAME] = "FullyQualifiedDomainName",
        [IC_KVP_AUTO_SERVICES_VERSION] = "IntegrationServicesVersion",
        [IC_KVP_AUTO_IPV4] = "NetworkAddressIPv4",
        [IC_KVP_AUTO_IPV6] = "NetworkAddressIPv6",
        [IC_KVP_AUTO_OS_BUILD] = "OSBuildNumber",
        [IC_KVP_AUTO_OS_NAME] = "OSName",
        [IC_KVP_AUTO_OS_MAJOR] = "OSMajorVersion",
        [IC_KVP_AUTO_OS_MINOR] = "OSMinorVersion",
        [IC_KVP_AUTO_OS_VERSION] = "OSVersion",
        [IC_KVP_AUTO_ARCHITECTURE] = "ProcessorArchitecture",
    };
    struct version version;
    struct utsname kernel;

    if (index >= IC_KVP_AUTO_COUNT)
        return NULL;
    value[0] = '\0';
    find_version(&version);
    switch (index) {
    case IC_KVP_AUTO_DOMAIN_NAME:      find_domain_name(value, size); break;
    case IC_KVP_AUTO_SERVICES_VERSION: snprintf(value, size, "%s", DAEMON_VERSION); break;
    case IC_KVP_AUTO_IPV4:             addresses_list(false, NULL, value, size); break;
    case IC_KVP_AUTO_IPV6:             addresses_list(true, NULL, value, size); break;
    case IC_KVP_AUTO_OS_BUILD:         snprintf(value, size, "%s", version.build); break;
    case IC_KVP_AUTO_OS_NAME:          snprintf(value, size, "%s", version.name); break;
    case IC_KVP_AUTO_OS_MAJOR:         version_part(version.version, 0, value, size); break;
    case IC_KVP_AUTO_OS_MINOR:         version_part(version.version, 1, value, size); break;
    case IC_KVP_AUTO_OS_VERSION:       snprintf(value, size, "%s", version.version); break;
    default:
        if (uname(&kernel) == 0)
            snprintf(value, size, "%s", kernel.machine);
        break;
    }
    return names[index];
}
