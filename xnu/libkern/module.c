/* SPDX-License-Identifier: BSD-3-Clause */
/* Registration of classes, one module (kext) at a time, all or nothing.
 *
 * Between preModLoad and postModLoad one lock is held and metaclass constructors queue their
 * objects in `stalled`. postModLoad first looks for a name that is taken, then enters all of
 * them. Source of the rules: xnu libkern/c++/OSMetaClass.cpp, OSRuntime.cpp. */
#include "abi/kpi/libkern.h"

#include "xnu/libkern/object.h"
#include "xnu/libkern/metaclass.h"
#include "xnu/libkern/module.h"
#include "xnu/libkern/symbol_pool.h"

enum { RESULT_GOOD = 0, STALLED_STEP = 64 };

/* A registered module. metaclass->reserved points at its entry here. */
struct module {
    struct module *next;
    char *identifier;
    size_t identifier_size;
    OSMetaClass **classes;
    unsigned class_count, class_room;
};

/* A load that is going on. */
struct load {
    const char *identifier;
    OSMetaClass **stalled;
    unsigned count, room;
    int result;
};

static struct kernel_lock load_lock = KERNEL_LOCK("kext loads"); /* preModLoad to postModLoad */
static struct kernel_lock class_lock = KERNEL_LOCK("classes"); /* protects what follows */
static struct load *current_load;
static struct module *modules;
static OSDictionary *class_dictionary; /* class name -> metaclass */

/* ---- modules ---- */

static struct module *find_module(const char *identifier)
{
    struct module *module;

    for (module = modules; module; module = module->next) {
        if (strcmp(module->identifier, identifier) == 0)
            return module;
    }
    return NULL;
}

static struct module *add_module(const char *identifier, unsigned class_room)
{
    struct module *module = kernel_allocate(sizeof(*module));
    size_t size = strlen(identifier) + 1;

    if (!module)
        return NULL;
    module->identifier = kernel_allocate(size);
    module->classes = class_room ? kernel_allocate(class_room * sizeof(*module->classes)) : NULL;
    if (!module->identifier || (class_room && !module->classes)) {
        kernel_free(module->identifier, size);
        kernel_free(module, sizeof(*module));
        return NULL;
    }
    memcpy(module->identifier, identifier, size);
    module->identifier_size = size;
    module->class_room = class_room;
    module->next = modules;
    modules = module;
    return module;
}

static void remove_module(struct module *module)
{
    struct module **link = &modules;

    while (*link != module)
        link = &(*link)->next;
    *link = module->next;
    kernel_free(module->classes, module->class_room * sizeof(*module->classes));
    kernel_free(module->identifier, module->identifier_size);
    kernel_free(module, sizeof(*module));
}

/* ---- what metaclass constructors and destructors report ---- */

void metaclass_constructed(OSMetaClass *metaclass)
{
    struct load *load = current_load;
    OSMetaClass **larger;

    if (!load || !kernel_lock_held(&load_lock)) {
        machine_log("OSMetaClass: preModLoad() wasn't called for class %s.",
                   (const char *)metaclass->className);
        return;
    }
    if (load->count == load->room) {
        larger = kernel_reallocate(load->stalled, load->room * sizeof(*larger),
                                   load->count * sizeof(*larger),
                                   (load->room + STALLED_STEP) * sizeof(*larger));
        if (!larger) {
            load->result = kOSMetaClassNoTempData;
            return;
        }
        load->stalled = larger;
        load->room += STALLED_STEP;
    }
    load->stalled[load->count++] = metaclass;
}

static void forget_stalled(struct load *load, OSMetaClass *metaclass)
{
    unsigned i;

    for (i = 0; load && i < load->count; i++) {
        if (load->stalled[i] == metaclass) {
            load->stalled[i] = load->stalled[--load->count];
            load->result = kOSMetaClassInternal;
            return;
        }
    }
}

void metaclass_destructed(OSMetaClass *metaclass)
{
    struct module *module = (struct module *)metaclass->reserved;
    const OSSymbol *name = metaclass->className;
    unsigned i;

    if (!module) {
        forget_stalled(current_load, metaclass);
        return;
    }
    kernel_lock_take(&class_lock);
    OSDictionary_removeObject_symbol(class_dictionary, name);
    for (i = 0; i < module->class_count; i++) {
        if (module->classes[i] == metaclass)
            module->classes[i] = module->classes[--module->class_count];
    }
    metaclass->reserved = NULL;
    metaclass->className = NULL;
    if (module->class_count == 0)
        remove_module(module);
    kernel_lock_drop(&class_lock);
    object_release(name);
}

/* ---- the load window ---- */

void *OSMetaClass_preModLoad(const char *identifier)
{
    struct load *load;

    kernel_lock_take(&load_lock);
    load = kernel_allocate(sizeof(*load));
    if (!load) {
        kernel_lock_drop(&load_lock);
        return NULL;
    }
    load->identifier = identifier;
    current_load = load;
    return load;
}

bool OSMetaClass_checkModLoad(void *handle)
{
    struct load *load = handle;

    return load && load == current_load && load->result == RESULT_GOOD;
}

/* Superclass known? It may be one of this load, in any order. */
static bool superclass_known(const struct load *load, const OSMetaClass *superclass)
{
    unsigned i;

    if (!superclass || superclass->reserved)
        return true;
    for (i = 0; i < load->count; i++) {
        if (load->stalled[i] == superclass)
            return true;
    }
    return false;
}

static bool name_twice(const struct load *load, unsigned index)
{
    const char *name = (const char *)load->stalled[index]->className;
    unsigned i;

    if (OSDictionary_getObject_cstring(class_dictionary, name))
        return true;
    for (i = 0; i < index; i++) {
        if (strcmp((const char *)load->stalled[i]->className, name) == 0)
            return true;
    }
    return false;
}

static int check_stalled(const struct load *load)
{
    unsigned i;

    for (i = 0; i < load->count; i++) {
        const char *name = (const char *)load->stalled[i]->className;

        if (name_twice(load, i)) {
            machine_log("OSMetaClass: kext %s: class \"%s\" is a duplicate: the kext will not be "
                       "loaded.", load->identifier, name);
            return kOSMetaClassDuplicateClass;
        }
        if (!superclass_known(load, load->stalled[i]->superClassLink)) {
            machine_log("OSMetaClass: kext %s: superclass of \"%s\" is not registered.",
                       load->identifier, name);
            return kOSMetaClassNoSuper;
        }
    }
    return RESULT_GOOD;
}

/* Takes the first `count` classes of a load back out. */
static void unregister(struct load *load, unsigned count, const char **names)
{
    while (count-- > 0) {
        OSMetaClass *class = load->stalled[count];
        const OSSymbol *symbol = class->className;

        OSDictionary_removeObject_symbol(class_dictionary, symbol);
        class->className = (const OSSymbol *)names[count];
        class->reserved = NULL;
        object_release(symbol);
    }
}

static int register_classes(struct load *load, struct module *module, const char **names)
{
    unsigned i;

    for (i = 0; i < load->count; i++) {
        OSMetaClass *class = load->stalled[i];
        const OSSymbol *symbol;

        names[i] = (const char *)class->className;
        symbol = OSSymbol_withCStringNoCopy(names[i]);
        if (!symbol || !OSDictionary_setObject_symbol(class_dictionary, symbol,
                                                             (OSMetaClassBase *)class)) {
            object_release(symbol);
            unregister(load, i, names);
            return kOSMetaClassNoDicts;
        }
        class->className = symbol;
        class->reserved = (void *)module;
        module->classes[i] = class;
    }
    module->class_count = load->count;
    return RESULT_GOOD;
}

static int close_load(struct load *load)
{
    struct module *module;
    const char **names;
    int result = load->result;

    if (result != RESULT_GOOD || load->count == 0)
        return result;
    result = check_stalled(load);
    if (result != RESULT_GOOD)
        return result;
    names = kernel_allocate(load->count * sizeof(*names));
    module = names ? add_module(load->identifier, load->count) : NULL;
    if (module) {
        result = register_classes(load, module, names);
        if (result != RESULT_GOOD)
            remove_module(module);
    } else {
        result = kOSMetaClassNoTempData;
    }
    kernel_free(names, load->count * sizeof(*names));
    return result;
}

int OSMetaClass_postModLoad(void *handle)
{
    struct load *load = handle;
    int result;

    if (!load || load != current_load) {
        machine_log("OSMetaClass: postModLoad without preModLoad");
        return kOSMetaClassNoInit;
    }
    kernel_lock_take(&class_lock);
    if (!class_dictionary)
        class_dictionary = OSDictionary_withCapacity(STALLED_STEP);
    result = class_dictionary ? close_load(load) : kOSMetaClassNoDicts;
    kernel_lock_drop(&class_lock);
    current_load = NULL;
    kernel_free(load->stalled, load->room * sizeof(*load->stalled));
    kernel_free(load, sizeof(*load));
    kernel_lock_drop(&load_lock);
    return result;
}

/* ---- what the loader calls ---- */

static void run(module_function *const *functions, size_t count, const char *identifier)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (functions[i])
            functions[i]();
        else
            machine_log("kext %s: null pointer in constructor or destructor section", identifier);
    }
}

int module_start(const struct module_code *code)
{
    void *handle;
    size_t i;
    int result;

    if (module_class_count(code->identifier) > 0)
        return RESULT_GOOD;
    handle = OSMetaClass_preModLoad(code->identifier);
    if (!handle)
        return kOSMetaClassNoTempData;
    for (i = 0; i < code->constructor_count && OSMetaClass_checkModLoad(handle); i++)
        run(&code->constructors[i], 1, code->identifier);
    result = OSMetaClass_postModLoad(handle);
    if (result != RESULT_GOOD && i > 0)
        run(code->destructors, i < code->destructor_count ? i : code->destructor_count,
            code->identifier);
    return result;
}

int module_finish(const struct module_code *code)
{
    if (module_has_instances(code->identifier))
        return kOSMetaClassHasInstances;
    run(code->destructors, code->destructor_count, code->identifier);
    if (code->start)
        symbol_pool_unload(code->start, code->end);
    return RESULT_GOOD;
}

/* The identifier of the kext that brought the class, +1. */
const OSSymbol *OSMetaClass_getKmodName(OSMetaClass *me)
{
    struct module *module = (struct module *)me->reserved;

    return OSSymbol_withCString(module ? module->identifier : "unknown");
}

unsigned module_class_count(const char *identifier)
{
    struct module *module;
    unsigned count;

    kernel_lock_take(&class_lock);
    module = find_module(identifier);
    count = module ? module->class_count : 0;
    kernel_lock_drop(&class_lock);
    return count;
}

static bool visit_instances(const char *identifier, bool report)
{
    struct module *module;
    bool found = false;
    unsigned i;

    kernel_lock_take(&class_lock);
    module = find_module(identifier);
    for (i = 0; module && i < module->class_count; i++) {
        OSMetaClass *class = module->classes[i];
        unsigned count = OSMetaClass_getInstanceCount(class);

        found = found || count > 0;
        if (count > 0 && report)
            machine_log("    Kext %s class %s has %u instance%s.", identifier,
                       OSMetaClass_getClassName(class), count, count == 1 ? "" : "s");
    }
    kernel_lock_drop(&class_lock);
    return found;
}

bool module_has_instances(const char *identifier)
{
    return visit_instances(identifier, false);
}

void module_report_instances(const char *identifier)
{
    visit_instances(identifier, true);
}

bool OSMetaClass_modHasInstance(const char *identifier)
{
    return visit_instances(identifier, false);
}

void OSMetaClass_reportModInstances(const char *identifier)
{
    visit_instances(identifier, true);
}

void OSMetaClass_considerUnloads(void)
{
    /* Kexts leave when the user asks (kextrun), never by themselves. */
}

/* ---- the class dictionary ---- */

const OSMetaClass *OSMetaClass_getMetaClassWithName(const OSSymbol *name)
{
    OSObject *found = NULL;

    if (!name)
        return NULL;
    kernel_lock_take(&class_lock);
    if (class_dictionary)
        found = OSDictionary_getObject_symbol(class_dictionary, name);
    kernel_lock_drop(&class_lock);
    return (const OSMetaClass *)found;
}

void OSMetaClass_serializeClassDictionary(OSDictionary *dictionary)
{
    OSCollectionIterator *iterator;
    OSSymbol *name;

    kernel_lock_take(&class_lock);
    iterator = OSCollectionIterator_withCollection((OSCollection *)class_dictionary);
    while (iterator && (name = iterator_next((OSIterator *)iterator))) {
        OSMetaClass *class = (OSMetaClass *)OSDictionary_getObject_symbol(class_dictionary, name);
        OSNumber *count = OSNumber_withNumber_number(OSMetaClass_getInstanceCount(class), 32);

        if (count) {
            OSDictionary_setObject_symbol(dictionary, name, (OSMetaClassBase *)count);
            object_release(count);
        }
    }
    object_release(iterator);
    kernel_lock_drop(&class_lock);
}

void OSMetaClass_printInstanceCounts(void)
{
    struct module *module;

    kernel_lock_take(&class_lock);
    for (module = modules; module; module = module->next)
        visit_instances(module->identifier, true);
    kernel_lock_drop(&class_lock);
}
