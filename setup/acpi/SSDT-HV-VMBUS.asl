/* SPDX-License-Identifier: BSD-3-Clause */
/* Start-up disk on Hyper-V, generation 2.
 *
 * macOS makes EFI device paths from integer EISA ids alone; Hyper-V names the two devices above every
 * synthetic disk by strings. The boot loader knows the two ids below (OpenCore, OcDevicePathLib), so
 * they must not change. Needs the renames _HID to XHID of both devices (see setup/data/acpi_rows.c).
 */
DefinitionBlock ("", "SSDT", 2, "ACDT", "HVVMBUS", 0)
{
    External (\_SB.VMOD, DeviceObj)
    External (\_SB.VMOD.VMBS, DeviceObj)
    External (\_SB.VMOD.XHID, MethodObj)
    External (\_SB.VMOD.VMBS.XHID, MethodObj)

    Scope (\_SB.VMOD)
    {
        Method (_HID, 0, NotSerialized)
        {
            If (_OSI ("Darwin"))
            {
                Return (EisaId ("VMD0001"))
            }
            Return (\_SB.VMOD.XHID ())
        }
    }

    Scope (\_SB.VMOD.VMBS)
    {
        Method (_HID, 0, NotSerialized)
        {
            If (_OSI ("Darwin"))
            {
                Return (EisaId ("VBS0001"))
            }
            Return (\_SB.VMOD.VMBS.XHID ())
        }
    }
}
