// Denormal numbers cost a hundred cycles each on many CPUs, and the moments of a parameter whose
// gradient has become zero decay into them: a step took twice as long after some thousand others
// (measured). Optimisers and matrix products, which meet them, count them as zero.

#include "runtime/internal.h"

#if defined(__x86_64__)
uint64_t latent_flush_denormals(void) {
  unsigned mode = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(mode | 0x8040);  // results and operands
  return mode;
}
void latent_restore_float_mode(uint64_t mode) { __builtin_ia32_ldmxcsr((unsigned)mode); }
#elif defined(__aarch64__)
uint64_t latent_flush_denormals(void) {
  uint64_t mode;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  __asm__ volatile("msr fpcr, %0" ::"r"(mode | 1 << 24));  // FZ
  return mode;
}
void latent_restore_float_mode(uint64_t mode) { __asm__ volatile("msr fpcr, %0" ::"r"(mode)); }
#else
uint64_t latent_flush_denormals(void) { return 0; }
void latent_restore_float_mode(uint64_t mode) { (void)mode; }
#endif
