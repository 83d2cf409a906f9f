/* SPDX-License-Identifier: BSD-3-Clause */
/* vm.c - kernel memory by pages, address translation, access to physical memory.
 *
 * One address space: the kernel's. vm_allocate(kernel_map) is the only way to executable memory; it
 * gives guest RAM, like everything else. */
#include "xnu/bsd/kpi.h"
#include "xnu/bsd/platform.h"
#include "xnu/machine/machine.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/traps.h"

#include "abi/kpi/machine.h"
#include "abi/kpi/vm.h"

/* Addresses are all that matters of these; the structures behind them are never looked into. */
static struct { char kind[8]; } kernel_map_object = { "map" }, kernel_task_object = { "task" },
                                kernel_pmap_object = { "pmap" };

KPI_DATA(vm_map_t, kernel_map);
KPI_DATA(task_t, kernel_task);
KPI_DATA(struct pmap *, kernel_pmap);
KPI_DATA(vm_size_t, page_size) = MACHINE_PAGE_SIZE;
KPI_DATA(vm_size_t, page_mask) = MACHINE_PAGE_SIZE - 1;
KPI_DATA(int, page_shift) = MACHINE_PAGE_SHIFT;
KPI_DATA(uint64_t, max_mem);
KPI_DATA(uint64_t, mem_size);


void platform_start(void)
{
    uint64_t physical, size, offset;

    kernel_map = (vm_map_t)&kernel_map_object;
    kernel_task = (task_t)&kernel_task_object;
    kernel_pmap = (struct pmap *)&kernel_pmap_object;
    real_ncpus = machine_processor_count();
    mem_size = 0;
    for (unsigned i = 0; machine_ram_range(i, &physical, &size, &offset); i++)
        mem_size += size;
    max_mem = mem_size;
}

KPI(task_t, current_task, (void))
{
    return kernel_task;
}

KPI(void, task_reference, (task_t task))
{
}

KPI(void, task_deallocate, (task_t task))
{
}

/* ---- pages ---------------------------------------------------------------------------------- */

KPI(kern_return_t, vm_allocate, (vm_map_t map, vm_address_t *address, vm_size_t size, int flags))
{
    if (map != kernel_map || !address)
        return KERN_INVALID_ARGUMENT;
    if (size == 0) {
        *address = 0;
        return KERN_SUCCESS;
    }
    if (!(flags & VM_FLAGS_ANYWHERE))
        return KERN_NO_SPACE;            /* a chosen address in the kernel's map is always in use */
    void *pages = machine_pages_allocate(size, 0, MACHINE_NO_LIMIT);
    if (!pages)
        return KERN_NO_SPACE;
    *address = (vm_address_t)pages;
    return KERN_SUCCESS;
}

KPI(kern_return_t, vm_deallocate, (vm_map_t map, vm_address_t address, vm_size_t size))
{
    if (map != kernel_map)
        return KERN_INVALID_ARGUMENT;
    if (size != 0)
        machine_pages_release((void *)address, size);
    return KERN_SUCCESS;
}

KPI(kern_return_t, vm_protect, (vm_map_t map, vm_address_t address, vm_size_t size,
                                boolean_t set_maximum, vm_prot_t protection))
{
    vm_address_t start = address & ~(vm_address_t)(MACHINE_PAGE_SIZE - 1);
    vm_address_t end =
        (address + size + MACHINE_PAGE_SIZE - 1) & ~(vm_address_t)(MACHINE_PAGE_SIZE - 1);

    if (map != kernel_map || (protection & ~VM_PROT_ALL))
        return KERN_INVALID_ARGUMENT;
    if (set_maximum || size == 0)
        return KERN_SUCCESS;
    if (machine_pages_protect((void *)start, end - start, (unsigned)protection) != 0)
        return KERN_INVALID_ADDRESS;
    return KERN_SUCCESS;
}

/* ---- addresses ------------------------------------------------------------------------------ */

KPI(vm_offset_t, ml_io_map, (vm_offset_t physical, vm_size_t size))
{
    return (vm_offset_t)machine_virtual_address(physical);
}

KPI(uint64_t, ml_vtophys, (vm_offset_t address))
{
    uint64_t physical = machine_physical_address((void *)address);

    return physical == MACHINE_NO_ADDRESS ? 0 : physical;
}

KPI(ppnum_t, pmap_find_phys, (struct pmap *pmap, addr64_t address))
{
    return (uint32_t)(ml_vtophys(address) >> MACHINE_PAGE_SHIFT);
}

KPI(void, bcopy_phys, (addr64_t from, addr64_t to, vm_size_t size))
{
    __builtin_memmove(machine_virtual_address(to), machine_virtual_address(from), size);
}

KPI(void, bzero_phys, (uint64_t physical, uint32_t size))
{
    __builtin_memset(machine_virtual_address(physical), 0, size);
}

KPI(int, copyin, (uint64_t from, void *to, size_t size))
{
    __builtin_memcpy(to, (void *)from, size);
    return 0;
}

KPI(int, copyout, (const void *from, uint64_t to, size_t size))
{
    __builtin_memcpy((void *)to, from, size);
    return 0;
}

/* ---- physical memory, also device ranges ----------------------------------------------------- */

KPI(unsigned, ml_phys_read, (vm_offset_t physical))
{
    return (unsigned)machine_mmio_read(physical, 4);
}

KPI(unsigned, ml_phys_read_64, (uint64_t physical))
{
    return (unsigned)machine_mmio_read(physical, 4);
}

KPI(unsigned, ml_phys_read_byte_64, (uint64_t physical))
{
    return (unsigned)machine_mmio_read(physical, 1);
}

KPI(unsigned, ml_phys_read_half_64, (uint64_t physical))
{
    return (unsigned)machine_mmio_read(physical, 2);
}

KPI(unsigned, ml_phys_read_word_64, (uint64_t physical))
{
    return (unsigned)machine_mmio_read(physical, 4);
}

KPI(unsigned long long, ml_phys_read_double_64, (uint64_t physical))
{
    return machine_mmio_read(physical, 8);
}

KPI(void, ml_phys_write, (vm_offset_t physical, unsigned value))
{
    machine_mmio_write(physical, 4, value);
}

KPI(void, ml_phys_write_byte_64, (uint64_t physical, unsigned value))
{
    machine_mmio_write(physical, 1, value);
}

KPI(void, ml_phys_write_half_64, (uint64_t physical, unsigned value))
{
    machine_mmio_write(physical, 2, value);
}

KPI(void, ml_phys_write_word_64, (uint64_t physical, unsigned value))
{
    machine_mmio_write(physical, 4, value);
}

KPI(void, ml_phys_write_double_64, (uint64_t physical, unsigned long long value))
{
    machine_mmio_write(physical, 8, value);
}

/* ---- registers at physical addresses (IOLib) ------------------------------------------------- */

KPI(uint8_t, IOMappedRead8, (IOPhysicalAddress address))
{
    return (uint8_t)machine_mmio_read(address, 1);
}

KPI(uint16_t, IOMappedRead16, (IOPhysicalAddress address))
{
    return (uint16_t)machine_mmio_read(address, 2);
}

KPI(uint32_t, IOMappedRead32, (IOPhysicalAddress address))
{
    return (uint32_t)machine_mmio_read(address, 4);
}

KPI(uint64_t, IOMappedRead64, (IOPhysicalAddress address))
{
    return machine_mmio_read(address, 8);
}

KPI(void, IOMappedWrite8, (IOPhysicalAddress address, uint8_t value))
{
    machine_mmio_write(address, 1, value);
}

KPI(void, IOMappedWrite16, (IOPhysicalAddress address, uint16_t value))
{
    machine_mmio_write(address, 2, value);
}

KPI(void, IOMappedWrite32, (IOPhysicalAddress address, uint32_t value))
{
    machine_mmio_write(address, 4, value);
}

KPI(void, IOMappedWrite64, (IOPhysicalAddress address, uint64_t value))
{
    machine_mmio_write(address, 8, value);
}
