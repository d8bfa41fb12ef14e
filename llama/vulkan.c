//go:build cgo && vulkan

// Vulkan without a link to its loader: libvulkan.so.1 is opened when it is first asked for, so that the executable also runs where there
// is none. The four functions that ggml-vulkan calls by name stand here; everything else it gets through the first of them.

#include "gpu.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vulkan/vulkan_core.h>

static struct {
	PFN_vkGetInstanceProcAddr get_instance;
	PFN_vkGetDeviceProcAddr get_device;
	PFN_vkGetPhysicalDeviceFeatures2 features;
	PFN_vkCmdCopyBuffer copy;
	char why[256]; // empty where it is open
} loader;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void open_loader(void) {
	void *lib = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!lib) {
		const char *e = dlerror();
		snprintf(loader.why, sizeof loader.why, "no Vulkan loader: %s", e ? e : "libvulkan.so.1 cannot be opened");
		return;
	}
	loader.get_instance = (PFN_vkGetInstanceProcAddr)dlsym(lib, "vkGetInstanceProcAddr");
	loader.get_device = (PFN_vkGetDeviceProcAddr)dlsym(lib, "vkGetDeviceProcAddr");
	loader.features = (PFN_vkGetPhysicalDeviceFeatures2)dlsym(lib, "vkGetPhysicalDeviceFeatures2");
	loader.copy = (PFN_vkCmdCopyBuffer)dlsym(lib, "vkCmdCopyBuffer");
	if (!loader.get_instance || !loader.get_device || !loader.features || !loader.copy) {
		snprintf(loader.why, sizeof loader.why, "the Vulkan loader, libvulkan.so.1, is older than Vulkan 1.2");
	}
}

static const char *loader_fault(void) {
	pthread_once(&once, open_loader);
	return loader.why;
}

// es_gpu_survey has found the loader before ggml-vulkan is registered, and so before any of these is called.

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vkGetInstanceProcAddr(VkInstance instance, const char *name) {
	return *loader_fault() ? NULL : loader.get_instance(instance, name);
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vkGetDeviceProcAddr(VkDevice device, const char *name) {
	return *loader_fault() ? NULL : loader.get_device(device, name);
}

VKAPI_ATTR void VKAPI_CALL vkGetPhysicalDeviceFeatures2(VkPhysicalDevice device, VkPhysicalDeviceFeatures2 *features) {
	if (!*loader_fault()) {
		loader.features(device, features);
	}
}

VKAPI_ATTR void VKAPI_CALL vkCmdCopyBuffer(VkCommandBuffer buffer, VkBuffer from, VkBuffer to, uint32_t n, const VkBufferCopy *regions) {
	if (!*loader_fault()) {
		loader.copy(buffer, from, to, n, regions);
	}
}

// An instance with the functions that a survey takes.
typedef struct {
	VkInstance handle;
	PFN_vkDestroyInstance destroy;
	PFN_vkEnumeratePhysicalDevices devices;
	PFN_vkGetPhysicalDeviceProperties properties;
	PFN_vkGetPhysicalDeviceFeatures2 features;
	PFN_vkGetPhysicalDeviceMemoryProperties2 memory;
	PFN_vkEnumerateDeviceExtensionProperties extensions;
} instance;

static const char *open_instance(instance *v, char *why, size_t n) {
	PFN_vkEnumerateInstanceVersion version = (PFN_vkEnumerateInstanceVersion)vkGetInstanceProcAddr(NULL, "vkEnumerateInstanceVersion");
	PFN_vkCreateInstance create = (PFN_vkCreateInstance)vkGetInstanceProcAddr(NULL, "vkCreateInstance");
	uint32_t api = 0;
	if (!version || !create || version(&api) != VK_SUCCESS || api < VK_API_VERSION_1_2) {
		snprintf(why, n, "the Vulkan loader, libvulkan.so.1, is older than Vulkan 1.2");
		return why;
	}
	VkApplicationInfo app = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO, .pApplicationName = "emospan", .apiVersion = VK_API_VERSION_1_2};
	VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &app};
	VkResult result = create(&info, NULL, &v->handle);
	if (result == VK_ERROR_INCOMPATIBLE_DRIVER) {
		snprintf(why, n, "no Vulkan driver is installed, or none that works here");
		return why;
	}
	if (result != VK_SUCCESS) {
		snprintf(why, n, "Vulkan cannot be started (vkCreateInstance gave %d)", (int)result);
		return why;
	}
#define GET(field, name) v->field = (PFN_##name)vkGetInstanceProcAddr(v->handle, #name)
	GET(destroy, vkDestroyInstance);
	GET(devices, vkEnumeratePhysicalDevices);
	GET(properties, vkGetPhysicalDeviceProperties);
	GET(features, vkGetPhysicalDeviceFeatures2);
	GET(memory, vkGetPhysicalDeviceMemoryProperties2);
	GET(extensions, vkEnumerateDeviceExtensionProperties);
#undef GET
	return NULL;
}

static int has_extension(const instance *v, VkPhysicalDevice device, const char *name) {
	uint32_t n = 0;
	if (v->extensions(device, NULL, &n, NULL) != VK_SUCCESS || n == 0) {
		return 0;
	}
	VkExtensionProperties *list = calloc(n, sizeof *list);
	int found = 0;
	if (list && v->extensions(device, NULL, &n, list) >= 0) {
		for (uint32_t i = 0; i < n && !found; i++) {
			found = strcmp(list[i].extensionName, name) == 0;
		}
	}
	free(list);
	return found;
}

static void describe(const instance *v, VkPhysicalDevice device, es_gpu *out) {
	VkPhysicalDeviceProperties p;
	v->properties(device, &p);
	memset(out, 0, sizeof *out);
	snprintf(out->name, sizeof out->name, "%s", p.deviceName);
	switch (p.deviceType) {
	case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: out->type = 1; break;
	case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: out->type = 2; break;
	case VK_PHYSICAL_DEVICE_TYPE_CPU: out->type = 4; break;
	default: out->type = 3;
	}

	// What the heaps have of the device's own memory; with the extension, what others have taken of it.
	VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
	VkPhysicalDeviceMemoryProperties2 memory = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2};
	int budgeted = has_extension(v, device, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
	if (budgeted) {
		memory.pNext = &budget;
	}
	v->memory(device, &memory);
	for (uint32_t i = 0; i < memory.memoryProperties.memoryHeapCount; i++) {
		VkMemoryHeap heap = memory.memoryProperties.memoryHeaps[i];
		if (!(heap.flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)) {
			continue;
		}
		out->memory_total += heap.size;
		if (!budgeted) {
			out->memory_free += heap.size;
		} else if (budget.heapBudget[i] > budget.heapUsage[i]) {
			out->memory_free += budget.heapBudget[i] - budget.heapUsage[i];
		}
	}

	// What ggml asks of a device (ggml_vk_device_is_supported).
	VkPhysicalDeviceVulkan11Features features11 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES};
	VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &features11};
	if (p.apiVersion < VK_API_VERSION_1_2) {
		snprintf(out->unfit, sizeof out->unfit, "its driver has Vulkan %u.%u only, and 1.2 is needed", VK_API_VERSION_MAJOR(p.apiVersion),
		         VK_API_VERSION_MINOR(p.apiVersion));
		return;
	}
	v->features(device, &features);
	if (!features11.storageBuffer16BitAccess) {
		snprintf(out->unfit, sizeof out->unfit, "its driver cannot read 16-bit numbers (storageBuffer16BitAccess)");
	}
}

int es_gpu_survey(es_gpu *out, int cap, char *why, size_t n) {
	if (*loader_fault()) {
		snprintf(why, n, "%s", loader.why);
		return -1;
	}
	instance v = {0};
	if (open_instance(&v, why, n)) {
		return -1;
	}
	uint32_t count = (uint32_t)cap;
	VkPhysicalDevice *list = calloc((size_t)cap, sizeof *list);
	VkResult result = list ? v.devices(v.handle, &count, list) : VK_ERROR_OUT_OF_HOST_MEMORY;
	int found = (int)count;
	if (result < 0) {
		snprintf(why, n, "no Vulkan driver would start (vkEnumeratePhysicalDevices gave %d)", (int)result);
		found = -1;
	}
	for (int i = 0; i < found; i++) {
		describe(&v, list[i], &out[i]);
	}
	free(list);
	v.destroy(v.handle, NULL);
	return found;
}
