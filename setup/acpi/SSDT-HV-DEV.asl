/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices of Windows Server 2019 and Windows 10 hosts and later, generation 2.
 *
 * - 64 processor objects of the old kind, as many as the VM has enabled: macOS knows no others.
 * - The processor devices \P001 to \P240 do not exist for macOS.
 * - The devices that the firmware guards by If: Mac OS X before 10.6 ignores an If around an object,
 *   so the same test stands in _STA too. The outer If keeps the table loadable where a device is absent.
 *
 * On Windows Server 2012 R2 \_SB.PSTA exists already, so there this table fails to load, as it should.
 * Needs the renames _STA to XSTA (see setup/data/acpi_rows.c).
 */
DefinitionBlock ("", "SSDT", 2, "ACDT", "HVDEV", 0)
{
    External (\PCNT, FieldUnitObj)
    External (\SCFG, FieldUnitObj)
    External (\TCFG, FieldUnitObj)
    External (\NCFG, FieldUnitObj)
    External (\BCFG, FieldUnitObj)
    External (\SGXE, FieldUnitObj)
    External (\_SB.UAR1, DeviceObj)
    External (\_SB.UAR2, DeviceObj)
    External (\_SB.VMOD.TPM2, DeviceObj)
    External (\_SB.VMOD.TPM2.XSTA, MethodObj)
    External (\_SB.NVDR, DeviceObj)
    External (\_SB.NVDR.XSTA, MethodObj)
    External (\_SB.EPC, DeviceObj)
    External (\_SB.EPC.XSTA, MethodObj)
    External (\_SB.VMOD.BAT1, DeviceObj)
    External (\_SB.VMOD.BAT1.XSTA, MethodObj)
    External (\_SB.VMOD.AC1, DeviceObj)

    /* Status of the processor Arg0, 1 and up: present for macOS when the VM has that many. */
    Method (\_SB.PSTA, 1, Serialized)
    {
        If (_OSI ("Darwin"))
        {
            If (LLessEqual (Arg0, \PCNT))
            {
                Return (0x0F)
            }
        }
        Return (Zero)
    }

    Scope (\_SB)
    {
        Include ("processor-objects.asl")
    }

    Include ("processor-devices-1.asl")

    If (LGreater (\SCFG, Zero))
    {
        Scope (\_SB.UAR1)
        {
            Method (_STA, 0, NotSerialized)
            {
                If (LGreater (\SCFG, Zero)) { Return (0x0F) }
                Return (Zero)
            }
        }
        Scope (\_SB.UAR2)
        {
            Method (_STA, 0, NotSerialized)
            {
                If (LGreater (\SCFG, Zero)) { Return (0x0F) }
                Return (Zero)
            }
        }
    }

    If (LGreater (\TCFG, Zero))
    {
        Scope (\_SB.VMOD.TPM2)
        {
            Method (_STA, 0, NotSerialized)
            {
                If (LGreater (\TCFG, Zero)) { Return (\_SB.VMOD.TPM2.XSTA ()) }
                Return (Zero)
            }
        }
    }

    If (LGreater (\NCFG, Zero))
    {
        Scope (\_SB.NVDR)
        {
            Method (_STA, 0, NotSerialized)
            {
                If (LGreater (\NCFG, Zero)) { Return (\_SB.NVDR.XSTA ()) }
                Return (Zero)
            }
        }
    }

    If (LGreater (\SGXE, Zero))
    {
        Scope (\_SB.EPC)
        {
            Method (_STA, 0, NotSerialized)
            {
                If (LGreater (\SGXE, Zero)) { Return (\_SB.EPC.XSTA ()) }
                Return (Zero)
            }
        }
    }

    If (LGreater (\BCFG, Zero))
    {
        Scope (\_SB.VMOD.BAT1)
        {
            Method (_STA, 0, NotSerialized)
            {
                If (LGreater (\BCFG, Zero)) { Return (\_SB.VMOD.BAT1.XSTA ()) }
                Return (Zero)
            }
        }
        Scope (\_SB.VMOD.AC1)
        {
            Method (_STA, 0, NotSerialized)
            {
                If (LGreater (\BCFG, Zero)) { Return (0x0F) }
                Return (Zero)
            }
        }
    }
}
