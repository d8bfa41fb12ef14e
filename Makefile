# emospan: one Go binary with llama.cpp inside.
#
#   make          build bin/emospan for this machine
#   make demo     build, fetch the default model, tag examples/sentences.txt and show the result
#   make test     build, fetch what the tests need, run them
#   make check    what CI runs besides: format, vet, staticcheck, race detector, build without cgo, cgo pointer checks, AddressSanitizer
#   make install  copies the executable to $(DESTDIR)$(PREFIX)/bin
#   make GPU=vulkan  bin/emospan with llama.cpp's Vulkan back end besides (docs/devices.md); GPU=cuda and GPU=metal are passed on, untested
#   make release  a fully static executable with every CPU variant, checksums, bill of materials, licences, in dist/; SIGN_KEY signs; GPU=vulkan adds emospan-vulkan
#   make release ARCH=arm64  the same for 64-bit ARM, by Debian's cross compilers, in dist-arm64/
#   make test-release  bundle, sandbox, empty chroot without network, damaged models, and that two builds are the same bytes
#   make test-arm64  the release for ARM on emulated CPUs; installs qemu-user and the cross compilers
#   make bench-bundle  start-up, processor time and memory of a bundle beside its model's file: SHAPES, BUNDLE_RUNS
#   make test-cpu run the release on emulated CPUs and in an empty chroot; look for stray AVX code
#   make test-gpu the Vulkan back end on Mesa's software device, and on machines without; installs Debian's packages
#   make test-report  the page of emospan report in headless Chromium, which it installs; SCREENSHOT=FILE keeps a picture
#   make test-gguf  GGUF files with faults through the real loader: MUTANTS=10000, MUTANTS_SEED=1
#   make test-schemas  JSON schemas of a folder, SCHEMAS=DIR, against another validator: coverage, refusals, and that no grammar has an invalid value
#   make test-slurm  an array job, a requeued task and the merge on a Slurm cluster of this machine alone; installs slurm-wlm and munge
#   make test-spark  emospan as a filter in Spark's partitions, and the memory that they share; installs PySpark, and Java
#   make test-programs  exports in the programs that they are for, which it installs (10 GB, most of it GLiNER's torch); PROGRAMS names some
#   make test-kubernetes  scripts/kubernetes against the API's schemas, and its pods' commands here
#   make test-reliability  runs killed at KILLS random moments (200), failing writes, full disks; installs strace
#   make test-memory  the peak of memory of each command over a hundred thousand and a million records
#   make soak     10,000 texts of DATA under a memory limit, stopped and continued; an hour; SOAK_FLAGS holds options of scripts/soak.py
#   make asan     the shim and llama.cpp under AddressSanitizer: the tests of package llama, and runs of tag
#   make fuzz     each fuzz target for FUZZTIME
#   make bench    measure the default model here: tokens and records a second; FLAGS holds other options of emospan bench
#   make bench-agree  against llama-bench in turn: fails where figures differ by more than noise or tagging is below a floor
#   make bench-grammar  the figures of grammar/README.md, against llama.cpp's own grammar sampler and against llguidance
#   make bench-scale  whether rate and memory stay as the input grows; SCALE_FLAGS holds options of scripts/bench_scale.py
#   make bench-busy  records a second beside 0, 1, 2 and 4 busy loops; BUSY_FLAGS holds options of scripts/bench_busy.py
#   make quality  measures records against what people annotated and writes docs/measurements/quality.md; hours; QUALITY_FLAGS holds options of scripts/quality
#   make peers    llama.cpp's own llama-server, llama-bench and llama-batched-bench from the same tree, in bin/peers/
#   make bench-peers  emospan against llama-server on this machine; PEERS_FLAGS holds options of scripts/bench_peers.py
#
# llama.cpp and its build are kept outside the checkout, in $EMOSPAN_CACHE (default: the user's cache folder, emospan/).
# LLAMA_CPP_DIR=DIR builds another llama.cpp tree. EMOSPAN_CPU=sse42 (or avx2, …) builds that CPU variant.
# DATA is a folder of measuring data outside the checkout; without it examples/bench.txt is measured with.

GO      ?= go
PYTHON  ?= python3
FUZZTIME ?= 30s
MUTANTS ?= 10000
MUTANTS_SEED ?= 1
DATA    ?= ../shared/data
PREFIX  ?= /usr/local
SHAPES  ?= llama3.2-1b llama3-8b
BUNDLE_RUNS ?= 9
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

PURE := ./agreement ./bundle ./calibrate ./calibrate/corpus ./dataset ./export ./grammar ./internal/bagofwords ./internal/linear ./models ./report ./sandbox ./tagger ./validate
export PYTHON

.DEFAULT_GOAL := build
.PHONY: build licenses install native model models python demo test check fmt vet staticcheck race nocgo cgocheck asan test-native release test-release test-cpu test-arm64 test-gpu test-report test-gguf test-slurm test-spark test-kubernetes test-programs test-reliability test-memory soak fuzz bench bench-agree bench-grammar bench-bundle bench-scale bench-busy quality peers bench-peers clean test-schemas

build: native licenses
	@echo "$(GO) build -trimpath $(if $(GPU),-tags $(GPU)) -o bin/emospan ./cmd/emospan"
	@scripts/beat.sh "compiling and linking bin/emospan" $(GO) build -trimpath $(if $(GPU),-tags $(GPU)) -o bin/emospan ./cmd/emospan

# The licence texts of what is linked, for emospan version --licenses.
licenses: native
	@scripts/beat.sh "collecting the licences" $(GO) run ./scripts/licenses "$$(llama/native/build.sh source)" cmd/emospan/licenses/licenses.txt.gz $(GPU)

# PREFIX and DESTDIR as usual; the executable is the one for this machine, or after make release the static one.
install:
	@[ -x dist/emospan ] || [ -x bin/emospan ] || { echo "install: nothing is built; run make, or make release, first" >&2; exit 1; }
	install -D -m 755 "$$([ -x dist/emospan ] && echo dist/emospan || echo bin/emospan)" "$(DESTDIR)$(PREFIX)/bin/emospan"

native:
	@GPU= llama/native/build.sh host
	$(if $(GPU),@GPU="$(GPU)" llama/native/build.sh host)

# The pinned models, in the user's store: the default one, and for the tests a small Gemma too.
model: build
	@bin/emospan models pull >/dev/null

models: model
	@bin/emospan models pull gemma3-270m >/dev/null

demo: model
	@scripts/demo.sh

# The Python packages that a test reads the output with, in the cache.
python:
	@scripts/python.sh >/dev/null

# One package at a time: two that run the model at once on few cores wait for each other's threads.
test: models python
	$(PYTHON) -B scripts/bench_peers_test.py
	$(PYTHON) -B scripts/check_demo_test.py
	PYTHONPATH="$$(scripts/python.sh)" $(PYTHON) -B scripts/quality/quality_test.py
	@GO="$(GO)" scripts/test-schemas.sh
	EMOSPAN_TEST_PYTHONPATH="$$(scripts/python.sh)" $(GO) test -p 1 -shuffle=on -timeout 40m ./...

check: fmt vet staticcheck nocgo test-native race cgocheck asan

fmt:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt would change:"; gofmt -l $$(git ls-files '*.go'); exit 1; }

vet: native
	$(GO) vet ./...

staticcheck: native
	$(GO) run $(STATICCHECK) ./...

nocgo:
	CGO_ENABLED=0 $(GO) build ./...
	CGO_ENABLED=0 $(GO) vet ./...
	CGO_ENABLED=0 $(GO) test -shuffle=on $(PURE)

# -short leaves out tests of one thing at a time that take long; make test runs them.
race: models
	$(GO) test -p 1 -race -short -shuffle=on -timeout 40m ./...

cgocheck: model
	GOEXPERIMENT=cgocheck2 $(GO) test -short -shuffle=on ./llama

# It builds llama.cpp once more, into the cache.
asan: model
	@GO="$(GO)" scripts/test-asan.sh

release:
	@GO="$(GO)" GPU="$(GPU)" ARCH="$(ARCH)" scripts/release.sh

# The bundle, the release and the sandbox, as docs/release.md tells; takes root for the network namespace and the chroot.
test-release: release model
	@GO="$(GO)" scripts/test-release.sh $(MUTANTS) $(MUTANTS_SEED)

# Not part of test or check: it builds llama.cpp once more, and emulation is slow.
test-arm64:
	@GO="$(GO)" scripts/test-arm64.sh

test-cpu: release
	@scripts/test-cpu.sh dist/emospan

# Not part of test or check: Vulkan's part of llama.cpp takes minutes to build. As root, where packages are missing and for a chroot.
test-gpu: model
	@GO="$(GO)" scripts/test-gpu.sh

# The build cache: two builds at once, a killed one, a second checkout. Stand-ins take the compilers' place.
test-native:
	@scripts/test-native.sh

# Not part of test or check: Chromium is a large package.
test-report: build
	@scripts/test-report.sh

# No model is needed: the files are made of a tiny one, which the test writes.
test-gguf: native
	@GO="$(GO)" scripts/test-gguf.sh $(MUTANTS) $(MUTANTS_SEED)

# Pure Go and one Python package. make test takes the project's own schemas.
test-schemas:
	@GO="$(GO)" TEXTS="$(TEXTS)" scripts/test-schemas.sh $(SCHEMAS)

# Many machines: none of these is part of test or check. See docs/scale.md.
test-slurm: build
	@scripts/test-slurm.sh bin/emospan

test-spark: model
	@scripts/test-spark.sh bin/emospan

test-kubernetes: build
	@scripts/test-kubernetes.sh bin/emospan

# Not part of test or check: pip brings label-studio, doccano, argilla, spaCy, GLiNER and three versions of datasets.
test-programs: build
	@scripts/test-programs.sh bin/emospan $(PROGRAMS)

# Not part of test or check: it takes minutes. Each part is a line of the script.
test-reliability: model
	@scripts/test-reliability.sh

test-memory: build
	@GO="$(GO)" scripts/test-memory.sh bin/emospan

# Takes an hour on 2 cores; dist/soak holds the output, the samples and a figure. matplotlib draws it.
soak: model
	PYTHONPATH="$$(scripts/python.sh requirements-figures.txt)" $(PYTHON) -B scripts/soak.py --folder dist/soak --tag-flags "--input goemotions" $(SOAK_FLAGS) $(DATA)/goemotions/dev.tsv $(DATA)/goemotions/train.tsv

fuzz:
	@scripts/fuzz.sh $(FUZZTIME)

# About three minutes with the default model on 2 cores.
bench: model
	@bin/emospan bench --progress always $(or $(FLAGS),--parallel 1,8,16)

# AGREEFLAGS=-agree.floor=0.6, for one; the file's other flags are in cmd/emospan/bench_agree_test.go.
bench-agree: model peers
	$(GO) test -run '^$$' -bench '^BenchmarkAgree$$' -benchtime 1x -v ./cmd/emospan $(AGREEFLAGS)

# Repeat with BENCHFLAGS=-count=10 for benchstat.
bench-grammar: model
	$(GO) test -p 1 -run '^$$' -bench '^Benchmark(Compile(Rules|Frame)|Filling|AgainstLlama|Grammar(Mask|Accept|Record))' -benchtime 2s $(BENCHFLAGS) ./grammar ./tagger ./llama ./cmd/emospan
	$(GO) test -p 1 -run '^$$' -bench '^BenchmarkGrammarShare' -benchtime 60x $(BENCHFLAGS) ./cmd/emospan
	@GO="$(GO)" PYTHONPATH="$$(scripts/python.sh requirements-masks.txt)" $(PYTHON) -B scripts/bench_masks.py

peers:
	@scripts/peers.sh

quality: models
	@DATA="$(DATA)" PYTHONPATH="$$(scripts/python.sh requirements-quality.txt)" $(PYTHON) -B scripts/quality $(QUALITY_FLAGS)

# Models of random weights in folders of its own, 5.5 GB twice over.
bench-bundle: build
	@$(PYTHON) -B scripts/bench_bundle.py --runs $(BUNDLE_RUNS) $(SHAPES)

bench-scale: model
	@$(PYTHON) -B scripts/bench_scale.py $(SCALE_FLAGS)

bench-busy: model
	@$(PYTHON) -B scripts/bench_busy.py $(BUSY_FLAGS)

bench-peers: model peers
	@DATA="$(DATA)" $(PYTHON) -B scripts/bench_peers.py $(PEERS_FLAGS)

clean:
	rm -rf bin dist dist-* examples/out.* llama/native_host*.go llama/native_all*.go llama/native_asan*.go models/vocabulary/llama3.gguf.gz cmd/emospan/licenses/licenses.txt.gz
