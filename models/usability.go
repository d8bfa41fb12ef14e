package models

import (
	"errors"
	"fmt"
	"slices"
)

// Usable returns nil for a text-generating model that emospan can run, else an
// error that says why not and what to use instead. It also refuses values on
// which llama.cpp would end the process rather than report an error.
//
// An architecture that llama.cpp does not know is left to llama.cpp to refuse.
// For those in plain, what their graphs assert is checked as well.
func (g *GGUF) Usable() error {
	for _, check := range []func() error{
		g.checkContent, g.checkArchitecture, g.checkGenerative, g.checkHyperparameters, g.checkAttention, g.checkNorms,
		g.checkVocabulary, g.checkWeights,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

const useChat = "use a chat or instruction model, such as " + DefaultModel

// checkContent refuses files that are parts of models.
func (g *GGUF) checkContent() error {
	switch kind, _ := g.String("general.type"); kind {
	case "", "model":
	case "adapter":
		return errors.New("this file is an adapter (LoRA), not a model: merge it into its base model first, with llama-export-lora")
	case "mmproj":
		return errors.New("this file is the image or audio part of a multimodal model: use the text model that it belongs to")
	case "imatrix":
		return errors.New("this file is an importance matrix for quantising, not a model: " + useChat)
	default:
		return fmt.Errorf("this file holds a %.80q, not a model: %s", kind, useChat)
	}
	if parts := g.parts(); parts > 1 && len(g.rest) == 0 {
		return fmt.Errorf("this file is one of the %d files of a split model: name the first, with the others beside it", parts)
	}
	if g.Architecture() == "" {
		return errors.New("this file does not name its architecture (general.architecture): it is not a language model, " + useChat)
	}
	return nil
}

// unsuited maps the architectures that cannot continue a text to what they are.
var unsuited = map[string]string{
	"bert": embedding, "modern-bert": embedding, "nomic-bert": embedding, "nomic-bert-moe": embedding,
	"neo-bert": embedding, "jina-bert-v2": embedding, "jina-bert-v3": embedding, "eurobert": embedding,
	"gemma-embedding": embedding, "llama-embed": embedding,
	"t5encoder": "a text encoder, it cannot generate text", "t5": "an encoder-decoder, emospan runs decoders only",
	"clip":  "an image encoder, it cannot generate text",
	"dream": diffusion, "llada": diffusion, "llada-moe": diffusion, "rnd1": diffusion,
	"flux": image, "sd1": image, "sd3": image, "sdxl": image,
	"qwen3tts": speech, "pockettts": speech, "wavtokenizer-dec": speech,
	"eagle3": draft, "dflash": draft, "gemma4-assistant": draft,
}

const (
	embedding = "an embedding model, it cannot generate text"
	diffusion = "a diffusion language model, it does not generate from left to right as a grammar needs"
	image     = "an image generator"
	speech    = "a speech model"
	draft     = "a draft for another model's speculative decoding"
)

func (g *GGUF) checkArchitecture() error {
	if what, ok := unsuited[g.Architecture()]; ok {
		return fmt.Errorf("architecture %.80q is %s: %s", g.Architecture(), what, useChat)
	}
	return nil
}

func (g *GGUF) checkGenerative() error {
	arch := g.Architecture()
	if len(g.tensors) == 0 {
		return errors.New("this file holds a vocabulary but no weights: " + useChat)
	}
	if causal, ok := g.Bool(arch + ".attention.causal"); ok && !causal {
		return fmt.Errorf("this %s model attends in both directions (attention.causal is false), it cannot generate text: %s", arch, useChat)
	}
	if pooling, ok := g.Uint(arch + ".pooling_type"); ok && pooling != 0 {
		return fmt.Errorf("this %s model pools its output into one vector (pooling_type %d), it is an embedding or ranking model: %s", arch, pooling, useChat)
	}
	return nil
}

// checkHyperparameters mirrors the assertions of llama_model_base::load_hparams.
func (g *GGUF) checkHyperparameters() error {
	arch := g.Architecture()
	const maxLayers, maxExperts = 512, 1024 // LLAMA_MAX_LAYERS, LLAMA_MAX_EXPERTS
	for _, k := range []struct {
		key string
		max uint64
	}{
		{".block_count", maxLayers},
		{".context_length", 1 << 31},
		{".embedding_length", 1 << 24},
	} {
		n, ok := g.Uint(arch + k.key)
		if !ok {
			return damaged("key %.80q is missing or no number", arch+k.key)
		}
		if n == 0 || n > k.max {
			return damaged("key %.80q is %d, expected 1 to %d", arch+k.key, n, k.max)
		}
	}
	layers, _ := g.Uint(arch + ".block_count")
	if n, _ := g.Uint(arch + ".nextn_predict_layers"); n > layers {
		return damaged("key %.80q is %d, more than the %d layers", arch+".nextn_predict_layers", n, layers)
	}
	experts, _ := g.Uint(arch + ".expert_count")
	if experts > maxExperts {
		return damaged("key %.80q is %d, more than the %d possible", arch+".expert_count", experts, maxExperts)
	}
	used, err := g.uints(arch + ".expert_used_count")
	if err != nil {
		return damaged("%w", err)
	}
	most := slices.Max(append(used, 0))
	if most > experts || most == 0 && experts > 0 {
		return damaged("%d of %d experts are used", most, experts)
	}
	groups, _ := g.Uint(arch + ".expert_group_count")
	groupsUsed, _ := g.Uint(arch + ".expert_group_used_count")
	switch {
	case groups == 0:
	case groups >= experts, groups > 1 && (experts%groups != 0 || groupsUsed == 0 || groupsUsed >= groups):
		return damaged("%d experts in %d groups of which %d are used", experts, groups, groupsUsed)
	}
	if s, ok := g.String(arch + ".rope.scaling.type"); ok && !slices.Contains([]string{"none", "linear", "yarn", "longrope"}, s) {
		return damaged("key %.80q is %.80q, expected none, linear, yarn or longrope", arch+".rope.scaling.type", s)
	}
	return nil
}

func damaged(format string, args ...any) error {
	return fmt.Errorf(format+": the file is damaged, fetch or convert it again", args...)
}
