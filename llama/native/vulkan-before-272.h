// What ggml-vulkan.cpp uses of Vulkan's C++ headers and those before 1.3.272 lack (Debian 12 has 1.3.239): the settings of a layer, which
// it hands to vkCreateInstance whether or not the layer is there. build.sh has it included before everything else.
#if defined(__cplusplus) && !defined(EMOSPAN_VULKAN_BEFORE_272_H)
#define EMOSPAN_VULKAN_BEFORE_272_H

#include <cstdint>
#include <vector>

#include <vulkan/vulkan_core.h>

#if VK_HEADER_VERSION < 272

namespace vk {

// VkLayerSettingTypeEXT
enum class LayerSettingTypeEXT : int32_t { eBool32 = 0 };

// VkLayerSettingEXT
struct LayerSettingEXT {
	const char *pLayerName;
	const char *pSettingName;
	LayerSettingTypeEXT type;
	uint32_t valueCount;
	const void *pValues;
};

// VkLayerSettingsCreateInfoEXT
struct LayerSettingsCreateInfoEXT {
	explicit LayerSettingsCreateInfoEXT(const std::vector<LayerSettingEXT> &settings)
	    : settingCount(static_cast<uint32_t>(settings.size())), pSettings(settings.data()) {}

	VkStructureType sType = static_cast<VkStructureType>(1000496000); // VK_STRUCTURE_TYPE_LAYER_SETTINGS_CREATE_INFO_EXT
	const void *pNext = nullptr;
	uint32_t settingCount;
	const LayerSettingEXT *pSettings;
};

} // namespace vk

#endif
#endif
