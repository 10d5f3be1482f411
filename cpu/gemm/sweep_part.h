// A thread's part of a product whose set sweeps (GemmSet::sweep).
#pragma once

#include "common/core/thread_pool.h"
#include "cpu/gemm/plan.h"

namespace tandem::cpu {

/// The part rows x columns of one item; columns.begin is a multiple of the set's nr().
void sweep_part(const Plan& plan, const Item& item, Share rows, Share columns, Scratch scratch);

}  // namespace tandem::cpu
