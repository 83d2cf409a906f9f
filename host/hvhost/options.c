/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads the command line of hvhost. */
#include "host/hvhost/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/devices/video.h"

static const char usage[] =
    "usage: hvhost --socket PATH [options]\n"
    "A Hyper-V host for one virtual machine, whose monitor attaches to the socket.\n"
    "\n"
    "  --socket PATH         where the monitor attaches (required)\n"
    "  --control PATH        where hvctl attaches\n"
    "  --release NAME        Windows release: 2008, 2008r2, 2012, 2012r2, 2016, 2019, 2022, 2025\n"
    "                        (default: the newest)\n"
    "  --generation 1|2      of the virtual machine (default 2)\n"
    "  --disk FILE[,controller=N][,lun=N][,ide=C:D][,readonly][,format=F][,block-size=N]\n"
    "                        a disk: raw, vhd, vhdx, qcow2, vmdk, vdi, an nbd: URI or memory:SIZE\n"
    "  --dvd FILE|empty[,controller=N][,lun=N][,format=F]\n"
    "                        a DVD drive, with a disc in it or empty\n"
    "  --net nat[,forward=HOST:GUEST]|tap=NAME|switch=NAME[,mac=ADDRESS][,down]\n"
    "                        a network adapter, and what it is plugged into; up to 8\n"
    "  --pci DESCRIPTION     an assigned PCI function: a JSON file, or JSON that begins with {,\n"
    "                        for example '{\"model\":\"nvme\",\"disk\":\"FILE\"}'; up to 64\n"
    "  --vnc PORT|PATH       screen, keyboard and mouse by VNC: on 127.0.0.1 (0: a free port), or\n"
    "                        on a socket in the file system (PATH has a slash in it)\n"
    "  --vnc-password FILE   whose first line viewers have to know\n"
    "  --horizontal-wheel    the mouse has one (Windows' own has not)\n"
    "  --largest-screen WxH  of the sizes offered to the guest, as Set-VMVideo says it\n"
    "  --faults SPEC         disk.error=RATE disk.short=RATE disk.lost=RATE\n"
    "                        disk.delay=MIN-MAX[@RATE] scsi.busy=RATE scsi.internal-error=RATE\n"
    "                        scsi.invalid-lun=RATE scsi.no-sense=RATE\n"
    "                        scsi.sense=KEY/ASC/ASCQ@RATE (RATE is 0.01 or 1%), or a rule such as\n"
    "                        message,delay=10000,type=6: see the manual\n"
    "  --seed N              of the faults (default 1)\n"
    "  --vmbus-max MAJOR.MINOR  highest VMBus version accepted\n"
    "  --echo-address        storage completions repeat path, target, LUN and direction\n"
    "  --poll MICROSECONDS   longest busy wait for work before sleeping (default 200, 0: none)\n"
    "  --log FILE            messages go there instead of standard error\n"
    "  --json-events         messages are JSON objects, one a line\n"
    "  --help, --version\n";

enum {
    OPTION_SOCKET = 256, OPTION_CONTROL, OPTION_RELEASE, OPTION_GENERATION, OPTION_DISK, OPTION_DVD,
    OPTION_NET, OPTION_PCI, OPTION_FAULTS, OPTION_SEED, OPTION_VMBUS_MAX, OPTION_ECHO, OPTION_POLL,
    OPTION_LOG, OPTION_JSON, OPTION_VNC, OPTION_VNC_PASSWORD, OPTION_HORIZONTAL_WHEEL, OPTION_HELP,
    OPTION_LARGEST_SCREEN,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    {"socket", required_argument, NULL, OPTION_SOCKET},
    {"control", required_argument, NULL, OPTION_CONTROL},
    {"release", required_argument, NULL, OPTION_RELEASE},
    {"generation", required_argument, NULL, OPTION_GENERATION},
    {"disk", required_argument, NULL, OPTION_DISK},
    {"dvd", required_argument, NULL, OPTION_DVD},
    {"net", required_argument, NULL, OPTION_NET},
    {"pci", required_argument, NULL, OPTION_PCI},
    {"faults", required_argument, NULL, OPTION_FAULTS},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"vmbus-max", required_argument, NULL, OPTION_VMBUS_MAX},
    {"echo-address", no_argument, NULL, OPTION_ECHO},
    {"poll", required_argument, NULL, OPTION_POLL},
    {"log", required_argument, NULL, OPTION_LOG},
    {"json-events", no_argument, NULL, OPTION_JSON},
    {"vnc", required_argument, NULL, OPTION_VNC},
    {"vnc-password", required_argument, NULL, OPTION_VNC_PASSWORD},
    {"horizontal-wheel", no_argument, NULL, OPTION_HORIZONTAL_WHEEL},
    {"largest-screen", required_argument, NULL, OPTION_LARGEST_SCREEN},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static int parse_number(const char *text, uint64_t most, uint64_t *number)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 0);
    if (end == text || *end != '\0' || errno != 0 || strchr(text, '-') != NULL || value > most) {
        return -EINVAL;
    }
    *number = value;
    return 0;
}

/* ---- Disks ---- */

/* Copies the part up to the next single comma; returns what follows it, or NULL at the end. */
static const char *next_part(const char *text, char *part, size_t part_size, bool *too_long)
{
    size_t used = 0;
    *too_long = false;
    for (; *text != '\0'; text++) {
        if (*text == ',') {
            if (text[1] != ',') {
                part[used] = '\0';
                return text + 1;
            }
            text++;
        }
        if (used + 1 == part_size) {
            *too_long = true;
            break;
        }
        part[used++] = *text;
    }
    part[used] = '\0';
    return NULL;
}

static int set_number(const char *text, uint64_t most, int *to)
{
    uint64_t number;
    if (parse_number(text, most, &number) != 0) {
        return -EINVAL;
    }
    *to = (int)number;
    return 0;
}

static int set_ide(const char *text, int *ide)
{
    if (strlen(text) != 3 || (text[0] | 1) != '1' || text[1] != ':' || (text[2] | 1) != '1') {
        return -EINVAL;
    }
    *ide = (text[0] - '0') * 2 + text[2] - '0';
    return 0;
}

static int set_disk_property(struct hvhost_disk_option *disk, const char *part)
{
    uint64_t number;
    if (strcmp(part, "readonly") == 0) {
        disk->read_only = true;
        return 0;
    }
    if (strncmp(part, "controller=", 11) == 0) {
        return set_number(part + 11, 3, &disk->controller);
    }
    if (strncmp(part, "lun=", 4) == 0) {
        return set_number(part + 4, 63, &disk->lun);
    }
    if (strncmp(part, "ide=", 4) == 0) {
        return set_ide(part + 4, &disk->ide);
    }
    if (strncmp(part, "format=", 7) == 0) {
        return disk_format_from_text(part + 7, &disk->format);
    }
    if (strncmp(part, "block-size=", 11) == 0 && parse_number(part + 11, 4096, &number) == 0) {
        disk->block_size = (uint32_t)number;
        return number == 512 || number == 4096 ? 0 : -EINVAL;
    }
    return -EINVAL;
}

int hvhost_parse_disk(const char *text, struct hvhost_disk_option *disk, char *error,
                      size_t error_size)
{
    char part[128];
    bool too_long;
    *disk = (struct hvhost_disk_option){
        .format = DISK_FORMAT_DETECT,
        .block_size = 512,
        .controller = HVHOST_ANY,
        .lun = HVHOST_ANY,
        .ide = HVHOST_ANY,
    };
    const char *rest = next_part(text, disk->path, sizeof(disk->path), &too_long);
    if (too_long || disk->path[0] == '\0') {
        snprintf(error, error_size, "--disk needs a file name, of at most 4095 bytes");
        return -EINVAL;
    }
    while (rest != NULL) {
        rest = next_part(rest, part, sizeof(part), &too_long);
        if (too_long || set_disk_property(disk, part) != 0) {
            snprintf(error, error_size,
                     "--disk %s: '%s' is not one of controller=0..3, lun=0..63, ide=C:D, readonly, "
                     "format=NAME, block-size=512|4096 (a comma in a file name is written twice)",
                     disk->path, part);
            return -EINVAL;
        }
    }
    if (disk->ide != HVHOST_ANY && (disk->controller != HVHOST_ANY || disk->lun != HVHOST_ANY)) {
        snprintf(error, error_size, "--disk %s: ide= goes without controller= and lun=",
                 disk->path);
        return -EINVAL;
    }
    return 0;
}

int hvhost_parse_dvd(const char *text, struct hvhost_disk_option *disk, char *error,
                     size_t error_size)
{
    int result = hvhost_parse_disk(text, disk, error, error_size);
    if (result == 0 && (disk->ide != HVHOST_ANY || disk->block_size != 512)) {
        snprintf(error, error_size, "--dvd %s: ide= and block-size= are for disks", disk->path);
        result = -EINVAL;
    }
    disk->is_dvd = disk->read_only = true;
    disk->is_empty = strcmp(disk->path, "empty") == 0;
    return result;
}

/* ---- The rest ---- */

static int set_vmbus_max(const char *text, uint32_t *version)
{
    char *end;
    unsigned long major = strtoul(text, &end, 10);
    if (end == text || *end != '.' || end[1] < '0' || end[1] > '9') {
        return -EINVAL;
    }
    const char *minor_text = end + 1;
    unsigned long minor = strtoul(minor_text, &end, 10);
    if (*end != '\0' || major > 0xffff || minor > 0xffff) {
        return -EINVAL;
    }
    *version = HOST_VERSION(major, minor);
    return 0;
}

static int complain(const char *option, const char *value, const char *wanted)
{
    fprintf(stderr, "hvhost: --%s %s: %s\n", option, value, wanted);
    return -1;
}

static int set_release(struct hvhost_options *options, const char *name)
{
    options->release = host_release_find(name);
    if (options->release == NULL) {
        return complain("release", name, "no such release; try 2012r2, 2016, 2019, 2022 or 2025");
    }
    return 0;
}

typedef int disk_parser(const char *text, struct hvhost_disk_option *disk, char *error,
                        size_t error_size);

static int add_disk(struct hvhost_options *options, const char *text, disk_parser *parse)
{
    char error[4400];
    if (options->disk_count == HVHOST_DISKS_MAX) {
        return complain("disk", text, "there can be 256 disks and DVD drives");
    }
    if (parse(text, &options->disks[options->disk_count], error, sizeof(error)) != 0) {
        fprintf(stderr, "hvhost: %s\n", error);
        return -1;
    }
    options->disk_count++;
    return 0;
}

static int add_network(struct hvhost_options *options, const char *text)
{
    char error[512];
    if (options->network_count == HVHOST_NETWORKS_MAX) {
        return complain("net", text, "there can be 8 network adapters");
    }
    if (hvhost_parse_network(text, &options->networks[options->network_count], error,
                             sizeof(error)) != 0) {
        fprintf(stderr, "hvhost: %s\n", error);
        return -1;
    }
    options->network_count++;
    return 0;
}

static int set_number_option(struct hvhost_options *options, int option, const char *text)
{
    uint64_t number;
    switch (option) {
    case OPTION_GENERATION:
        if (parse_number(text, 2, &number) != 0 || number == 0) {
            return complain("generation", text, "1 or 2");
        }
        options->generation = (uint32_t)number;
        return 0;
    case OPTION_SEED:
        if (parse_number(text, UINT64_MAX, &options->seed) != 0) {
            return complain("seed", text, "a number is wanted");
        }
        return 0;
    default:
        if (parse_number(text, 10000, &number) != 0) {
            return complain("poll", text, "0 to 10000 microseconds");
        }
        options->poll_ns = number * 1000;
        return 0;
    }
}

static int set_vnc(struct hvhost_options *options, const char *argument)
{
    uint64_t port = 0;
    if (strchr(argument, '/') != NULL) {
        options->vnc_path = argument;
    } else if (parse_number(argument, UINT16_MAX, &port) != 0) {
        fprintf(stderr, "hvhost: --vnc %s: wanted is a port, 0 to 65535, or the path of a socket\n",
                argument);
        return -1;
    }
    options->vnc = true;
    options->vnc_port = (uint16_t)port;
    return 0;
}

static int set_largest_screen(struct hvhost_options *options, const char *text)
{
    unsigned width, height;
    int end = 0;
    if (sscanf(text, "%4ux%4u%n", &width, &height, &end) != 2 || text[end] != '\0' ||
        width < VIDEO_BOOT_WIDTH || height < VIDEO_BOOT_HEIGHT || width > 7680 || height > 4320) {
        fprintf(stderr, "hvhost: --largest-screen %s: 1024x768 to 7680x4320 is wanted\n", text);
        return -1;
    }
    options->largest_width = width;
    options->largest_height = height;
    return 0;
}

static int set_option(struct hvhost_options *options, int option, char *argument)
{
    switch (option) {
    case OPTION_SOCKET:
        options->socket_path = argument;
        return 0;
    case OPTION_CONTROL:
        options->control_path = argument;
        return 0;
    case OPTION_LOG:
        options->log_path = argument;
        return 0;
    case OPTION_VNC:
        return set_vnc(options, argument);
    case OPTION_VNC_PASSWORD:
        options->vnc_password_path = argument;
        return 0;
    case OPTION_HORIZONTAL_WHEEL:
        options->horizontal_wheel = true;
        return 0;
    case OPTION_LARGEST_SCREEN:
        return set_largest_screen(options, argument);
    case OPTION_JSON:
        options->json_events = true;
        return 0;
    case OPTION_ECHO:
        options->echo_address = true;
        return 0;
    case OPTION_RELEASE:
        return set_release(options, argument);
    case OPTION_DISK:
        return add_disk(options, argument, hvhost_parse_disk);
    case OPTION_DVD:
        return add_disk(options, argument, hvhost_parse_dvd);
    case OPTION_NET:
        return add_network(options, argument);
    case OPTION_PCI:
        if (options->pci_count == HVHOST_PCI_MAX) {
            return complain("pci", argument, "there can be 64 descriptions");
        }
        options->pci[options->pci_count++] = argument;
        return 0;
    case OPTION_FAULTS:
        if (options->fault_count == HVHOST_FAULTS_MAX) {
            return complain("faults", argument, "there can be 32 faults");
        }
        options->faults[options->fault_count++] = argument;
        return 0;
    case OPTION_VMBUS_MAX:
        return set_vmbus_max(argument, &options->vmbus_max) == 0
                   ? 0
                   : complain("vmbus-max", argument, "a version like 4.0 is wanted");
    case OPTION_GENERATION:
    case OPTION_SEED:
    case OPTION_POLL:
        return set_number_option(options, option, argument);
    case OPTION_HELP:
        fputs(usage, stdout);
        return 1;
    case OPTION_VERSION:
        puts("hvhost " MACHV_VERSION);
        return 1;
    case ':':
        fprintf(stderr, "hvhost: option %s needs a value; try --help\n", argument);
        return -1;
    default:
        fprintf(stderr, "hvhost: unknown option %s; try --help\n", argument);
        return -1;
    }
}

int hvhost_parse_options(int argc, char **argv, struct hvhost_options *options)
{
    int option;
    *options = (struct hvhost_options){
        .release = host_release_newest(),
        .generation = 2,
        .seed = 1,
        .poll_ns = 200000,
    };
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
        bool wrong = option == ':' || option == '?';
        int result = set_option(options, option == 'h' ? OPTION_HELP : option,
                                wrong ? argv[optind - 1] : optarg);
        if (result != 0) {
            return result;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "hvhost: %s: not an option; try --help\n", argv[optind]);
        return -1;
    }
    if (options->socket_path == NULL) {
        fputs("hvhost: --socket PATH is required; try --help\n", stderr);
        return -1;
    }
    if (options->generation == 2 && !options->release->generation_2) {
        fprintf(stderr, "hvhost: --release %s has no generation-2 machines; add --generation 1\n",
                options->release->name);
        return -1;
    }
    if (options->pci_count > 0 && options->release->versions.pci == 0) {
        fprintf(stderr, "hvhost: --pci: %s assigns no PCI functions to machines; use --release "
                "2016 or later\n", options->release->title);
        return -1;
    }
    return 0;
}
