/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes the script that creates the VM. (Microsoft, Hyper-V module for Windows PowerShell.) */
#include "setup/vm_script.h"

#include <stdlib.h>
#include <string.h>

enum {
    SERVER_2012_R2 = 9600,
    SERVER_2016 = 14393, /* production checkpoints, device assignment */
    SERVER_2019 = 17763, /* automatic checkpoints, Set-VMVideo */
    LOW_MMIO_MIB = 128,  /* what a VM has without asking */
    HIGH_MMIO_MIB = 512,
    BAR_LOW_MAX = 64 << 20, /* larger BARs are placed above 4 GiB */
    MIB = 1 << 20,
};

uint64_t vm_bar_size(const char *text)
{
    char *end = NULL;
    uint64_t size = strtoull(text, &end, 10);
    switch (*end) {
    case 'K':
        size <<= 10;
        end++;
        break;
    case 'M':
        size <<= 20;
        end++;
        break;
    case 'G':
        size <<= 30;
        end++;
        break;
    default: break;
    }
    bool power = size != 0 && (size & (size - 1)) == 0;
    return *end == '\0' && text[0] != '-' && power && size >= 4096 && size <= (uint64_t)1 << 40
               ? size
               : 0;
}

static uint64_t round_up(uint64_t value, uint64_t step)
{
    return (value + step - 1) / step * step;
}

void vm_mmio_space(const struct vm_options *options, unsigned *low_mib, unsigned *high_mib)
{
    uint64_t low = 0, high = 0;
    for (size_t i = 0; i < options->device_count; i++) {
        for (size_t b = 0; b < options->devices[i].bar_count; b++) {
            uint64_t size = options->devices[i].bars[b];
            *(size > BAR_LOW_MAX ? &high : &low) += size;
        }
    }
    /* The low gap also holds the screen's memory; it is at most 3 GiB. */
    low = round_up(2 * low / MIB + LOW_MMIO_MIB, 128);
    high = round_up(2 * high / MIB + HIGH_MMIO_MIB, 512);
    *low_mib = low > 3072 ? 3072 : (unsigned)low;
    *high_mib = (unsigned)high;
}

const char *vm_refusal(const struct vm_options *options)
{
    const char *refused = target_refusal(&options->target);
    if (refused != NULL) {
        return refused;
    }
    if (options->target.host->build < 9200) {
        return "Windows Server 2008 R2 has no Hyper-V module for PowerShell; create the VM in "
               "Hyper-V "
               "Manager.";
    }
    if (options->device_count > 0 && options->target.host->build < SERVER_2016) {
        return "Discrete Device Assignment begins with Windows Server 2016.";
    }
    if (options->device_count > 0 && options->client) {
        return "Discrete Device Assignment exists on Windows Server only, not on Windows 10 or 11.";
    }
    if (options->memory_mib != 0 && options->memory_mib < options->target.macos->memory_mib) {
        return "Too little memory: up to macOS 10.15 4096 MiB are needed, from macOS 11 on 8192 "
               "MiB.";
    }
    return NULL;
}

/* 'text' with its quotes doubled: nothing in it means anything to PowerShell. The curly quotes,
 * which PowerShell takes for straight ones, are doubled too. */
static void add_quoted(struct text *script, const char *string)
{
    text_add_string(script, "'");
    for (const unsigned char *at = (const unsigned char *)string; *at != '\0'; at++) {
        if (*at == '\'') {
            text_add_string(script, "''");
        } else if (at[0] == 0xE2 && at[1] == 0x80 && at[2] >= 0x98 && at[2] <= 0x9B) {
            text_add(script, at, 3);
            text_add(script, at, 3);
            at += 2;
        } else if (*at >= ' ') {
            text_add(script, at, 1);
        }
    }
    text_add_string(script, "'");
}

static void add_assignment(struct text *script, const char *variable, const char *value)
{
    text_format(script, "$%s = ", variable);
    add_quoted(script, value);
    text_add_string(script, "\n");
}

static void add_head(const struct vm_options *options, struct text *script)
{
    const struct target *target = &options->target;
    text_format(
        script,
        "# macOS %s (%s) on %s, generation %u.\n"
        "# Read it, then run it in an elevated PowerShell on the Windows host.\n"
        "# \"New-VM is not recognized\" means: Hyper-V is not installed (Windows Home has none):\n"
        "#   Enable-WindowsOptionalFeature -Online -FeatureName Microsoft-Hyper-V -All\n"
        "Set-StrictMode -Version 2\n"
        "$ErrorActionPreference = 'Stop'\n\n",
        target->macos->version, target->macos->name, target->host->name, target->generation);
    add_assignment(script, "Name", options->name);
    add_assignment(script, "EfiDisk", options->efi_disk);
    if (options->folder != NULL) {
        add_assignment(script, "Folder", options->folder);
    } else {
        text_add_string(script, "$Folder = (Get-VMHost).VirtualMachinePath\n");
    }
    if (options->system_disk != NULL) {
        add_assignment(script, "SystemDisk", options->system_disk);
    } else {
        text_format(script, "$SystemDisk = Join-Path -Path $Folder -ChildPath ($Name + '.%s')\n",
                    target->host->build >= 9200 ? "vhdx" : "vhd");
    }
    if (options->installer != NULL) {
        add_assignment(script, "Installer", options->installer);
    }
    add_assignment(script, "Switch", options->network);
    text_add_string(script, "\n");
}

/* What must be there before anything is made. */
static void add_preconditions(struct text *script)
{
    text_add_string(script,
                    "$EfiDisk = (Resolve-Path -LiteralPath $EfiDisk).ProviderPath\n"
                    "if (-not (Get-VMSwitch | Where-Object { $_.Name -eq $Switch })) {\n"
                    "    throw ('There is no virtual switch ' + $Switch + '; see Get-VMSwitch.')\n"
                    "}\n"
                    "if (Get-VM | Where-Object { $_.Name -eq $Name }) {\n"
                    "    throw ('A VM with this name exists: ' + $Name)\n"
                    "}\n\n");
}

static void add_machine(const struct vm_options *options, struct text *script)
{
    const struct target *target = &options->target;
    unsigned memory = options->memory_mib != 0 ? options->memory_mib : target->macos->memory_mib;
    unsigned processors = options->processors != 0 ? options->processors : 2;
    text_format(script,
                "New-VM -Name $Name -Generation %u -Path $Folder -NoVHD -MemoryStartupBytes %uMB\n"
                "# macOS has no dynamic memory: what it is given must stay.\n"
                "Set-VMMemory -VMName $Name -DynamicMemoryEnabled $false\n"
                "Set-VMProcessor -VMName $Name -Count %u\n",
                target->generation, memory, processors);
    if (target->host->build >= SERVER_2019) {
        text_add_string(script, "# A checkpoint of a running macOS can damage it.\n"
                                "Set-VM -Name $Name -AutomaticCheckpointsEnabled $false "
                                "-CheckpointType Disabled\n");
    } else if (target->host->build >= SERVER_2016) {
        text_add_string(script, "# A checkpoint of a running macOS can damage it.\n"
                                "Set-VM -Name $Name -CheckpointType Disabled\n");
    }
    text_add_string(script, "Connect-VMNetworkAdapter -VMName $Name -SwitchName $Switch\n\n");
}

static void add_disks(const struct vm_options *options, struct text *script)
{
    const char *controller = options->target.generation == 2 ? "SCSI" : "IDE";
    text_format(script,
                "if (-not (Test-Path -LiteralPath $SystemDisk)) {\n"
                "    New-VHD -Path $SystemDisk -SizeBytes %uGB -Dynamic\n"
                "}\n"
                "Add-VMHardDiskDrive -VMName $Name -ControllerType %s -ControllerNumber 0 "
                "-ControllerLocation 0 -Path $EfiDisk\n"
                "Add-VMHardDiskDrive -VMName $Name -ControllerType %s -ControllerNumber 0 "
                "-ControllerLocation 1 -Path $SystemDisk\n",
                options->disk_gib, controller, controller);
    if (options->installer != NULL) {
        /* Generation 1: the second IDE controller, whose first place New-VM leaves to the DVD
         * drive. */
        text_format(script,
                    "Add-VMHardDiskDrive -VMName $Name -ControllerType %s -ControllerNumber %u "
                    "-ControllerLocation %u -Path $Installer\n",
                    controller, options->target.generation == 2 ? 0 : 1,
                    options->target.generation == 2 ? 2 : 1);
    }
    if (options->target.generation == 2) {
        text_add_string(
            script,
            "\n# Secure Boot knows no OpenCore.\n"
            "$Boot = Get-VMHardDiskDrive -VMName $Name | Where-Object { $_.Path -eq $EfiDisk }\n"
            "Set-VMFirmware -VMName $Name -EnableSecureBoot Off -FirstBootDevice $Boot\n");
    }
    text_add_string(script, "\n");
}

static void add_services(const struct vm_options *options, struct text *script)
{
    text_add_string(
        script,
        "# Heartbeat, shutdown, time and data exchange are on by default; file copy is not.\n"
        "# Services are found by their ids: the names are translated.\n");
    if (options->target.host->build >= SERVER_2012_R2) {
        text_add_string(
            script, "Get-VMIntegrationService -VMName $Name | Where-Object { $_.Id -like "
                    "'*6C09BB55-D683-4DA0-8931-C9BF705F6480' } | Enable-VMIntegrationService\n");
    }
    if (options->width != 0 && options->target.host->build >= SERVER_2019) {
        text_format(script,
                    "Set-VMVideo -VMName $Name -ResolutionType Single -HorizontalResolution %u "
                    "-VerticalResolution %u\n",
                    options->width, options->height);
    }
    text_add_string(script, "\n");
}

static void add_devices(const struct vm_options *options, struct text *script)
{
    unsigned low = 0, high = 0;
    if (options->device_count == 0) {
        return;
    }
    vm_mmio_space(options, &low, &high);
    text_format(script,
                "# Assigned devices need room for their registers, and a VM that is never saved.\n"
                "Set-VM -Name $Name -AutomaticStopAction TurnOff -GuestControlledCacheTypes $true "
                "-LowMemoryMappedIoSpace %uMB -HighMemoryMappedIoSpace %uMB\n",
                low, high);
    for (size_t i = 0; i < options->device_count; i++) {
        text_add_string(script, "$Location = ");
        add_quoted(script, options->devices[i].location);
        text_add_string(
            script,
            "\n$Device = Get-PnpDevice -PresentOnly | Where-Object { (Get-PnpDeviceProperty "
            "-InstanceId "
            "$_.InstanceId -KeyName 'DEVPKEY_Device_LocationPaths').Data -contains $Location }\n"
            "Disable-PnpDevice -InstanceId $Device.InstanceId -Confirm:$false\n"
            "Dismount-VMHostAssignableDevice -LocationPath $Location -Force\n"
            "Add-VMAssignableDevice -VMName $Name -LocationPath $Location\n"
            "# To give it back: Remove-VMAssignableDevice -VMName $Name -LocationPath $Location; "
            "Mount-VMHostAssignableDevice -LocationPath $Location; Enable-PnpDevice -InstanceId "
            "$Device.InstanceId\n");
    }
    text_add_string(script, "\n");
}

void vm_script(const struct vm_options *options, struct text *script)
{
    add_head(options, script);
    add_preconditions(script);
    add_machine(options, script);
    add_disks(options, script);
    add_services(options, script);
    add_devices(options, script);
    text_add_string(script,
                    "Write-Host ('Created. Start it with: Start-VM -Name \"' + $Name + '\"')\n");
}
