// `constants`: the old heap of numbers; today's modules have their own.

'use strict';

module.exports = { ...require('os').constants.signals, ...require('crypto').constants, ...require('fs').constants };
