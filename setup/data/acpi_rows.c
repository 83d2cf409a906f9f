/* SPDX-License-Identifier: BSD-3-Clause */
/* ACPI tables and the renames that go with them, generation 2. A rename is by name, in the DSDT,
 * from the object `Base` on; it runs for every system that OpenCore starts, so the tables fall back
 * to the renamed object. (OpenCorePkg, Docs/AcpiSamples; Microsoft mu_msvm, Dsdt.asl.)
 */
#include "setup/data/rows.h"

enum { WINDOWS_10 = 10240, WINDOWS_2022 = 20348 };

#define TABLE(name, first_darwin, first_build, text)                                               \
    {                                                                                              \
        "acpi-table-" name, ROW_ENTRY, "ACPI->Add", {{"Path", CONFIG_STRING, name ".aml", true}},  \
            {.darwin_first = first_darwin, .build_first = first_build, .generation = 2},           \
            SEVERITY_ERROR, text, name ".aml"                                                      \
    }

#define RENAME(suffix, base, count, find, replace, first_build, comment, text)                     \
    {                                                                                              \
        "acpi-patch-" suffix, ROW_ENTRY, "ACPI->Patch",                                            \
            {{"Base", CONFIG_STRING, base, true}, {"Comment", CONFIG_STRING, comment},             \
             {"Count", CONFIG_INTEGER, #count},   {"Find", CONFIG_DATA, find},                     \
             {"Replace", CONFIG_DATA, replace},   {"TableSignature", CONFIG_DATA, DSDT}},          \
            {.build_first = first_build, .generation = 2}, SEVERITY_ERROR, text                    \
    }

#define DSDT "44534454"
#define _HID "5F484944"
#define XHID "58484944"
#define _STA "5F535441"
#define XSTA "58535441"

const struct row acpi_rows[] = {
    TABLE("SSDT-HV-VMBUS", 0, 0,
          "macOS finds its start-up disk by integer device ids, which this table gives"),
    TABLE(
        "SSDT-HV-DEV", 0, WINDOWS_10,
        "Windows 10 and Server 2019 hosts describe processors and devices that macOS cannot take"),
    TABLE("SSDT-HV-DEV-WS2022", 0, WINDOWS_2022,
          "Windows 11 and Server 2022 hosts describe 2048 processors and a processor aggregator"),
    TABLE("SSDT-HV-PLUG", 20, 0,
          "macOS 11 and later freeze unless VMPlatformPlugin takes the processor"),
    RENAME("vmod-hid", "\\_SB.VMOD", 1, _HID, XHID, 0, "_HID to XHID rename (Hyper-V VMOD)",
           "frees the name _HID for SSDT-HV-VMBUS"),
    RENAME("vmbs-hid", "\\_SB.VMOD.VMBS", 1, _HID, XHID, 0, "_HID to XHID rename (Hyper-V VMBus)",
           "frees the name _HID for SSDT-HV-VMBUS"),
    RENAME("tpm2-sta", "\\_SB.VMOD.TPM2", 1, _STA, XSTA, WINDOWS_10,
           "_STA to XSTA rename (Hyper-V TPM)", "frees the name _STA for SSDT-HV-DEV"),
    RENAME("nvdr-sta", "\\_SB.NVDR", 1, _STA, XSTA, WINDOWS_10,
           "_STA to XSTA rename (Hyper-V NVDIMM)", "frees the name _STA for SSDT-HV-DEV"),
    RENAME("epc-sta", "\\_SB.EPC", 1, _STA, XSTA, WINDOWS_10, "_STA to XSTA rename (Hyper-V SGX)",
           "frees the name _STA for SSDT-HV-DEV"),
    RENAME("bat1-sta", "\\_SB.VMOD.BAT1", 1, _STA, XSTA, WINDOWS_10,
           "_STA to XSTA rename (Hyper-V battery)", "frees the name _STA for SSDT-HV-DEV"),
    RENAME("processors-sta", "\\P001", 240, _STA, XSTA, WINDOWS_10,
           "_STA to XSTA rename (Hyper-V processors 1 to 240)",
           "frees the name _STA of the processor devices for SSDT-HV-DEV"),
    RENAME("processors-2022-sta", "\\P241", 1808, _STA, XSTA, WINDOWS_2022,
           "_STA to XSTA rename (Hyper-V processors 241 to 2048)",
           "frees the name _STA of the processor devices for SSDT-HV-DEV-WS2022"),
};
const size_t acpi_row_count = sizeof acpi_rows / sizeof acpi_rows[0];
