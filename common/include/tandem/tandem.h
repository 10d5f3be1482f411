// Everything that users of the library include.
#pragma once

#include <tandem/batch.h>
#include <tandem/context.h>
#include <tandem/device.h>
#include <tandem/distill.h>
#include <tandem/dtype.h>
#include <tandem/error.h>
#include <tandem/explain.h>
#include <tandem/layout.h>
#include <tandem/low_rank.h>
#include <tandem/machine.h>
#include <tandem/magnitudes.h>
#include <tandem/measurement.h>
#include <tandem/model.h>
#include <tandem/network.h>
#include <tandem/npy.h>
#include <tandem/ops.h>
#include <tandem/profile.h>
#include <tandem/prune.h>
#include <tandem/quantize.h>
#include <tandem/report.h>
#include <tandem/safetensors.h>
#include <tandem/sparse.h>
#include <tandem/tensor.h>
#include <tandem/version.h>
#include <tandem/weights.h>
