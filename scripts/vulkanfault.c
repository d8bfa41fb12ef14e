// A Vulkan loader that hands everything on to the real one and lies about a few things, for test-gpu.sh: built as libvulkan.so.1, it is
// found through LD_LIBRARY_PATH before that. VULKAN_REAL is the real one's path.
//
//   FAKE_TYPE    what every device says it is, a VkPhysicalDeviceType: 2 is a card of its own
//   FAKE_MEMORY  bytes of its first heap, all free
//   LOSE_WHEN    a file: the device is lost once there is something in it
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <vulkan/vulkan_core.h>

static void *real(const char *name) {
	static void *lib;
	if (!lib && !(lib = dlopen(getenv("VULKAN_REAL"), RTLD_NOW | RTLD_LOCAL))) {
		abort();
	}
	return dlsym(lib, name);
}

static void lie_type(VkPhysicalDeviceProperties *p) {
	const char *type = getenv("FAKE_TYPE");
	if (type) {
		p->deviceType = (VkPhysicalDeviceType)atoi(type);
	}
}

static void lie_memory(VkPhysicalDeviceMemoryProperties *p) {
	const char *bytes = getenv("FAKE_MEMORY");
	if (bytes) {
		p->memoryHeaps[0].size = strtoull(bytes, NULL, 10);
	}
}

static void properties(VkPhysicalDevice d, VkPhysicalDeviceProperties *p) {
	((PFN_vkGetPhysicalDeviceProperties)real("vkGetPhysicalDeviceProperties"))(d, p);
	lie_type(p);
}

static void properties2(VkPhysicalDevice d, VkPhysicalDeviceProperties2 *p) {
	((PFN_vkGetPhysicalDeviceProperties2)real("vkGetPhysicalDeviceProperties2"))(d, p);
	lie_type(&p->properties);
}

static void memory(VkPhysicalDevice d, VkPhysicalDeviceMemoryProperties *p) {
	((PFN_vkGetPhysicalDeviceMemoryProperties)real("vkGetPhysicalDeviceMemoryProperties"))(d, p);
	lie_memory(p);
}

static void memory2(VkPhysicalDevice d, VkPhysicalDeviceMemoryProperties2 *p) {
	((PFN_vkGetPhysicalDeviceMemoryProperties2)real("vkGetPhysicalDeviceMemoryProperties2"))(d, p);
	lie_memory(&p->memoryProperties);
	for (VkBaseOutStructure *s = p->pNext; s && getenv("FAKE_MEMORY"); s = s->pNext) {
		if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT) {
			VkPhysicalDeviceMemoryBudgetPropertiesEXT *b = (void *)s;
			b->heapBudget[0] = p->memoryProperties.memoryHeaps[0].size;
			b->heapUsage[0] = 0;
		}
	}
}

static VkResult submit(VkQueue q, uint32_t n, const VkSubmitInfo *info, VkFence fence) {
	static atomic_bool lost;
	const char *when = getenv("LOSE_WHEN");
	struct stat file;
	if (when && stat(when, &file) == 0 && file.st_size > 0) {
		lost = 1;
	}
	if (lost) {
		return VK_ERROR_DEVICE_LOST;
	}
	return ((PFN_vkQueueSubmit)real("vkQueueSubmit"))(q, n, info, fence);
}

static PFN_vkVoidFunction lie(const char *name) {
	static const struct {
		const char *name;
		void *function;
	} lies[] = {
	    {"vkGetPhysicalDeviceProperties", properties},        {"vkGetPhysicalDeviceProperties2", properties2},
	    {"vkGetPhysicalDeviceMemoryProperties", memory},      {"vkGetPhysicalDeviceMemoryProperties2", memory2},
	    {"vkGetPhysicalDeviceProperties2KHR", properties2},   {"vkGetPhysicalDeviceMemoryProperties2KHR", memory2},
	    {"vkQueueSubmit", submit},
	};
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		if (strcmp(name, lies[i].name) == 0) {
			return (PFN_vkVoidFunction)lies[i].function;
		}
	}
	return NULL;
}

PFN_vkVoidFunction vkGetInstanceProcAddr(VkInstance instance, const char *name) {
	PFN_vkVoidFunction f = lie(name);
	return f ? f : ((PFN_vkGetInstanceProcAddr)real("vkGetInstanceProcAddr"))(instance, name);
}

PFN_vkVoidFunction vkGetDeviceProcAddr(VkDevice device, const char *name) {
	PFN_vkVoidFunction f = lie(name);
	return f ? f : ((PFN_vkGetDeviceProcAddr)real("vkGetDeviceProcAddr"))(device, name);
}

void vkGetPhysicalDeviceFeatures2(VkPhysicalDevice d, VkPhysicalDeviceFeatures2 *f) {
	((PFN_vkGetPhysicalDeviceFeatures2)real("vkGetPhysicalDeviceFeatures2"))(d, f);
}

void vkCmdCopyBuffer(VkCommandBuffer b, VkBuffer from, VkBuffer to, uint32_t n, const VkBufferCopy *r) {
	((PFN_vkCmdCopyBuffer)real("vkCmdCopyBuffer"))(b, from, to, n, r);
}
