/** What an iteration costs on a cluster: a model of it, fitted to measured runs. */
@NullMarked
package org.kfac4j.cost;

import org.jspecify.annotations.NullMarked;
